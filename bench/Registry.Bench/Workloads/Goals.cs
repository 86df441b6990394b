namespace Registry.Bench.Workloads;

/// <summary>What a row must reach where the registries do not stand on files and a database in the process.</summary>
internal static class Goals
{
    private static readonly IReadOnlyDictionary<string, double> OnS3
        = new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["push-512"] = 1.2,
            ["push-512-put"] = 1.2,
            ["push-4x128"] = 1.2,
            ["pull-512"] = 1,
            ["pull-512x8"] = 1,
            ["push-4k"] = 3,
            ["put-manifest"] = 5,
            ["head-tag"] = 5,
            ["get-tag"] = 5,
            ["head-digest"] = 5,
            ["get-digest"] = 5,
        };

    private static readonly IReadOnlyDictionary<string, double> OnPostgreSql
        = new Dictionary<string, double>(StringComparer.Ordinal) { ["get-tag"] = 8 };

    /// <summary>The rows with the goals of this set-up. On S3 the rows without a goal are left out.</summary>
    /// <remarks>They are lists, for which the other registry walks through the bucket, and small reads.</remarks>
    public static IReadOnlyList<Workload> Apply(
        IReadOnlyList<Workload> rows, bool onS3, bool onPostgreSql, bool namedByUser)
    {
        if (!onS3 && !onPostgreSql)
            return rows;
        var goals = onS3 ? OnS3 : OnPostgreSql;
        return [.. rows
            .Where(row => namedByUser || !onS3 || goals.ContainsKey(row.Key))
            .Select(row => row with
            {
                RateGoal = goals.TryGetValue(row.Key, out var goal) ? goal : null,
                CpuGoal = null,
            })];
    }
}
