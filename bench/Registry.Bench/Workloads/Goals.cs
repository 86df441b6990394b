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

    /// <summary>The rows of a comparison with the goals of its set-up.</summary>
    /// <param name="only">The keys of the rows to run; none of them: all, but on S3 those that have a goal there.</param>
    /// <remarks>
    /// The others are lists, for which the other registry walks through the bucket, and small reads. With both S3 and
    /// PostgreSQL the goals are those of S3.
    /// </remarks>
    /// <exception cref="ArgumentException">There is no row of such a key.</exception>
    public static IReadOnlyList<Workload> Apply(
        AllWorkloads all, IReadOnlyCollection<string> only, bool onS3, bool onPostgreSql)
    {
        if (!onS3 && !onPostgreSql)
            return all.Select(only);
        var goals = onS3 ? OnS3 : OnPostgreSql;
        return [.. all.Select(onS3 && only.Count == 0 ? [.. goals.Keys] : only)
            .Select(row => row with
            {
                RateGoal = goals.TryGetValue(row.Key, out var goal) ? goal : null,
                CpuGoal = null,
            })];
    }
}
