namespace Registry.Web.Tests;

/// <summary>What holds for every refusal, whatever was wrong.</summary>
internal static class Refusals
{
    /// <summary>
    /// Asserts a 4xx in the envelope of the specification, which repeats the request id and gives nothing away. Kestrel's own
    /// refusals, made before there is a request to speak of, have no body.
    /// </summary>
    public static Answer IsRefused(this Answer? answer, RegistryFactory registry)
    {
        Assert.NotNull(answer);
        Assert.True(answer.Status is >= 400 and < 500, $"Expected a refusal, but {answer}");
        if (answer.Body.Length > 0)
        {
            Assert.NotEmpty(answer.ErrorCodes());
            Assert.Equal(answer.Header("X-Request-Id"),
                answer.Json.GetProperty("errors")[0].GetProperty("detail").GetProperty("requestId").GetString());
        }

        return answer.GivesNothingAway(registry);
    }

    /// <summary>Asserts that neither a path of the server's nor a trace of its code is in the body.</summary>
    public static Answer GivesNothingAway(this Answer answer, RegistryFactory registry)
    {
        Assert.DoesNotContain(registry.Data, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at Registry.", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", answer.Text, StringComparison.Ordinal);
        return answer;
    }
}
