namespace Registry.Web.Tests.Admin;

/// <summary>How the admin API refuses.</summary>
internal static class Problems
{
    /// <summary>Asserts an answer in the form of RFC 9457 that has the request's id and a title that says something.</summary>
    public static Answer ExpectProblem(this Answer answer, int status, string named)
    {
        answer.Expect(status);
        Assert.StartsWith("application/problem+json", answer.Header("Content-Type"), StringComparison.Ordinal);
        Assert.Equal(status, answer.Json.GetProperty("status").GetInt32());
        Assert.Contains(named, answer.Json.GetProperty("title").GetString(), StringComparison.Ordinal);
        Assert.Equal(answer.Header("X-Request-Id"), answer.Json.GetProperty("requestId").GetString());
        Assert.False(answer.Json.TryGetProperty("errors", out _));
        return answer;
    }
}
