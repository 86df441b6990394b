using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Registry.Infrastructure.Access.Jwt;

namespace Registry.Infrastructure.Tests.Access;

/// <summary>Attacks on signed tokens. Every key counts for every <c>kid</c> here: the look-up protects from nothing.</summary>
public sealed class JsonWebTokenTests : IDisposable
{
    private const string Claims = """{"sub":"user:alice","exp":4102444800}""";
    private const string EsHeader = """{"alg":"ES256","typ":"JWT","kid":"k"}""";
    private const string RsHeader = """{"alg":"RS256","typ":"JWT","kid":"k"}""";

    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly JwtKey[] _keys;

    public JsonWebTokenTests() => _keys = [new("k", JwtKey.Es256, _ec), new("k", JwtKey.Rs256, _rsa)];

    public static TheoryData<string> NoAlgorithm => new(
        "none", "None", "NONE", "nOnE", "noNE", " none", "none ", "none\0", "", "null", "HS256", "HS384", "HS512",
        "ES384", "ES512", "ES256K", "RS384", "RS512", "PS256", "EdDSA", "es256", "ES256 ", "Es256", "A128KW", "dir");

    public static TheoryData<string> KeysInHeader => new(
        "\"jwk\":{}", "\"jwk\":null", "\"jku\":\"https://evil.example/keys\"", "\"x5u\":\"https://evil.example/c\"",
        "\"x5c\":[\"MII\"]", "\"crit\":[\"exp\"]", "\"crit\":[]", "\"crit\":[\"b64\"],\"b64\":false",
        "\"\\u006awk\":{}");

    public void Dispose()
    {
        _ec.Dispose();
        _rsa.Dispose();
    }

    [Fact]
    public void A_token_that_a_key_has_signed_says_what_it_says()
    {
        foreach (var token in new[] { Jwt.Of(EsHeader, Claims, Jwt.Es256(_ec)), Jwt.Of(RsHeader, Claims, Jwt.Rs256(_rsa)) })
        {
            Assert.True(Read(token).TryGet(out var claims, out _));
            Assert.Equal("user:alice", JsonWebToken.Text(claims, "sub"));
        }
    }

    [Fact]
    public void What_is_signed_here_is_read_here()
    {
        var token = JsonWebToken.Sign("k", _ec, json => json.WriteString("sub", "ü\"\\\ud83d\ude00"));
        Assert.True(Read(token).TryGet(out var claims, out _));
        Assert.Equal("ü\"\\\ud83d\ude00", JsonWebToken.Text(claims, "sub"));
    }

    [Theory] // S-9
    [MemberData(nameof(NoAlgorithm))]
    public void No_other_algorithm_is_taken(string algorithm)
    {
        var header = $$"""{"alg":{{JsonSerializer.Serialize(algorithm)}},"typ":"JWT","kid":"k"}""";
        Refused(Jwt.Of(header, Claims, Jwt.Nothing));
        Refused(Jwt.Of(header, Claims, Jwt.Es256(_ec)));
        Refused(Jwt.Of(header, Claims, Jwt.Rs256(_rsa)));
    }

    [Theory]
    [InlineData("""{"typ":"JWT","kid":"k"}""")]
    [InlineData("""{"alg":null,"kid":"k"}""")]
    [InlineData("""{"alg":["ES256"],"kid":"k"}""")]
    [InlineData("""{"alg":256,"kid":"k"}""")]
    [InlineData("""{"alg":{"ES256":true}}""")]
    [InlineData("""["ES256"]""")]
    [InlineData("\"ES256\"")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("""{"alg":"ES256","kid":null}""")]
    [InlineData("""{"alg":"ES256","kid":1}""")]
    [InlineData("""{"alg":"ES256","kid":["k"]}""")]
    [InlineData("""{"alg":"ES256","kid":"k"} {}""")]
    [InlineData("""{"alg":"ES256","kid":"k",}""")]
    [InlineData("""/* */{"alg":"ES256","kid":"k"}""")]
    public void A_header_that_says_no_algorithm_and_key_in_text_is_refused(string header)
        => Refused(Jwt.Of(header, Claims, Jwt.Es256(_ec)));

    [Fact] // S-9
    public void The_public_key_is_no_secret_of_a_hash()
    {
        var point = _ec.ExportParameters(false).Q;
        byte[][] secrets =
        [
            _ec.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(_ec.ExportSubjectPublicKeyInfoPem()),
            Encoding.ASCII.GetBytes(_ec.ExportSubjectPublicKeyInfoPem() + "\n"), [.. point.X!, .. point.Y!],
            [4, .. point.X!, .. point.Y!], _rsa.ExportSubjectPublicKeyInfo(), _rsa.ExportRSAPublicKey(),
            Encoding.ASCII.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem()),
            Encoding.ASCII.GetBytes(_rsa.ExportRSAPublicKeyPem()), _rsa.ExportParameters(false).Modulus!, [],
        ];
        foreach (var secret in secrets)
        {
            Refused(Jwt.Of("""{"alg":"HS256","kid":"k"}""", Claims, Jwt.Hs256(secret)));
            Refused(Jwt.Of(EsHeader, Claims, Jwt.Hs256(secret)));
            Refused(Jwt.Of(RsHeader, Claims, Jwt.Hs256(secret)));
        }
    }

    [Fact] // S-9
    public void A_key_serves_its_own_algorithm_only()
    {
        Refused(Jwt.Of(RsHeader, Claims, Jwt.Es256(_ec)));
        Refused(Jwt.Of(EsHeader, Claims, Jwt.Rs256(_rsa)));
        var swapped = new JwtKey[] { new("k", JwtKey.Rs256, _ec), new("k", JwtKey.Es256, _rsa), new("k", "HS256", _ec) };
        foreach (var token in new[] { Jwt.Of(RsHeader, Claims, Jwt.Es256(_ec)), Jwt.Of(EsHeader, Claims, Jwt.Rs256(_rsa)) })
            Assert.False(JsonWebToken.Read(token, _ => swapped).TryGet(out _, out _));
    }

    [Fact]
    public void Other_keys_and_other_curves_have_signed_nothing()
    {
        using var another = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        using var rsa = RSA.Create(2048);
        foreach (var key in new[] { another, p384, p521 })
            Refused(Jwt.Of(EsHeader, Claims, Jwt.Es256(key)));
        Refused(Jwt.Of(RsHeader, Claims, Jwt.Rs256(rsa)));
        Refused(Jwt.Of(RsHeader, Claims, data => _rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)));
        Refused(Jwt.Of(RsHeader, Claims, data => _rsa.SignData(data, HashAlgorithmName.SHA1, RSASignaturePadding.Pkcs1)));
    }

    [Fact]
    public void Signatures_that_are_none_are_refused()
    {
        var order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
        byte[][] signatures =
        [
            [], [0], new byte[63], new byte[64], new byte[65], new byte[128], new byte[256], [.. order, .. order],
            [.. new byte[31], 1, .. new byte[31], 1],
        ];
        foreach (var signature in signatures)
        {
            Refused(Jwt.Of(EsHeader, Claims, _ => signature));
            Refused(Jwt.Of(RsHeader, Claims, _ => signature));
        }

        Refused(Jwt.Of(EsHeader, Claims, data => [.. Jwt.Es256(_ec)(data), 0]));
        Refused(Jwt.Of(EsHeader, Claims, data => [.. Jwt.Es256(_ec)(data), .. Jwt.Es256(_ec)(data)]));
        Refused(Jwt.Of(EsHeader, Claims, data
            => _ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)));
    }

    [Theory] // S-9: also with a kid that counts and a good signature
    [MemberData(nameof(KeysInHeader))]
    public void A_header_that_brings_a_key_or_a_demand_is_refused(string member)
        => Refused(Jwt.Of($$"""{"alg":"ES256","kid":"k",{{member}}}""", Claims, Jwt.Es256(_ec)));

    [Fact] // S-9
    public void A_key_in_the_header_verifies_nothing_though_the_kid_is_known()
    {
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = own.ExportParameters(false).Q;
        var jwk = $$"""{"kty":"EC","crv":"P-256","kid":"k","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        Refused(Jwt.Of($$"""{"alg":"ES256","kid":"k","jwk":{{jwk}}}""", Claims, Jwt.Es256(own)));
        Refused(Jwt.Of($$"""{"alg":"ES256","kid":"k","JWK":{{jwk}}}""", Claims, Jwt.Es256(own)));
    }

    [Theory]
    [InlineData("""{"alg":"none","alg":"ES256","kid":"k"}""", Claims)]
    [InlineData("""{"alg":"ES256","kid":"k","kid":"other"}""", Claims)]
    [InlineData("""{"alg":"ES256","\u0061lg":"ES256","kid":"k"}""", Claims)]
    [InlineData(EsHeader, """{"sub":"user:alice","sub":"user:root"}""")]
    [InlineData(EsHeader, """{"sub":"user:alice","\u0073ub":"user:root"}""")]
    [InlineData(EsHeader, """{"a":{"b":1,"b":2}}""")]
    [InlineData(EsHeader, """{"a":[{"b":1,"b":2}]}""")]
    public void A_member_that_stands_twice_is_refused(string header, string claims)
        => Refused(Jwt.Of(header, claims, Jwt.Es256(_ec)));

    [Theory]
    [InlineData("""{"alg":"\ud800","kid":"k"}""", Claims)]
    [InlineData("""{"alg":"ES256","kid":"\udfff"}""", Claims)]
    [InlineData("""{"\ud800":1,"alg":"ES256","kid":"k"}""", Claims)]
    [InlineData("""{"\ud800":1,"\ud800":1,"alg":"ES256","kid":"k"}""", Claims)]
    [InlineData(EsHeader, """{"\ud800":1,"\ud800":2}""")]
    public void Half_a_character_is_refused_and_fails_nothing(string header, string claims)
    {
        Read(Jwt.Of(header, claims, Jwt.Es256(_ec))).TryGet(out _, out _);
        Refused(Jwt.Of(header.Replace("ES256", "none", StringComparison.Ordinal), claims, Jwt.Nothing));
    }

    [Fact]
    public void Bytes_that_are_no_text_fail_nothing()
    {
        foreach (var place in new[] { "alg", "kid", "other" })
        {
            byte[] header =
            [
                .. Encoding.ASCII.GetBytes($$"""{"{{(place == "alg" ? "x" : "alg")}}":"ES256","{{place}}":" """.TrimEnd()), 0xFF, 0xC0,
                .. "\"}"u8,
            ];
            Read(Jwt.Sign($"{Base64Url.EncodeToString(header)}.{Jwt.Encode(Claims)}", Jwt.Es256(_ec))).TryGet(out _, out _);
        }

        byte[] claims = [.. "{\"sub\":\""u8, 0xFF, .. "\",\"aud\":[\""u8, 0xC0, .. "\"]}"u8];
        var token = Jwt.Sign($"{Jwt.Encode(EsHeader)}.{Base64Url.EncodeToString(claims)}", Jwt.Es256(_ec));
        if (Read(token).TryGet(out var read, out _))
        {
            Assert.Null(JsonWebToken.Text(read, "sub"));
            Assert.False(JsonWebToken.IsFor(read, "x"));
        }
    }

    [Fact]
    public void There_is_one_way_to_write_a_token()
    {
        var good = Jwt.Of(EsHeader, Claims, Jwt.Es256(_ec));
        var parts = good.Split('.');
        var last = parts[2][^1];
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        // 64 bytes leave four bits of the last character without a meaning.
        var others = Alphabet.Where(c => c != last && Alphabet.IndexOf(c) >> 4 == Alphabet.IndexOf(last) >> 4).ToArray();
        Assert.Equal(15, others.Length);
        foreach (var other in others)
            Refused(good[..^1] + other);

        foreach (var i in Enumerable.Range(0, 3))
        {
            foreach (var changed in new[]
            {
                parts[i] + "=", parts[i] + "==", parts[i] + " ", parts[i] + "\n", "\t" + parts[i], parts[i] + "\0",
                parts[i].Insert(4, " "), parts[i] + "A", parts[i] + "\u00e9", parts[i] + "%3D", parts[i] + "+", parts[i] + "/",
            })
            {
                Refused(string.Join('.', parts.Select((part, at) => at == i ? changed : part)));
                if (i < 2) // though signed as it stands
                    Refused(Jwt.Sign(string.Join('.', parts[..2].Select((part, at) => at == i ? changed : part)), Jwt.Es256(_ec)));
            }
        }
    }

    [Fact]
    public void Parts_are_three()
    {
        var good = Jwt.Of(EsHeader, Claims, Jwt.Es256(_ec));
        var parts = good.Split('.');
        foreach (var token in new[]
        {
            "", ".", "..", "...", "....", parts[0], $"{parts[0]}.{parts[1]}", $"{parts[0]}.{parts[1]}.", $".{parts[1]}.{parts[2]}",
            $"{parts[0]}..{parts[2]}", $"{good}.", $".{good}", $"{good}.{parts[2]}", $"{good}.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{parts[2]}..", $"{good},{good}", $"{good} {good}",
        })
            Refused(token);
    }

    [Fact]
    public void A_token_is_no_longer_than_its_limit()
    {
        string Long(int length)
        {
            for (var padding = length / 2; ; padding++)
            {
                var token = Jwt.Of(EsHeader, $$"""{"p":"{{new string('x', padding)}}"}""", Jwt.Es256(_ec));
                if (token.Length >= length)
                    return token;
            }
        }

        Assert.True(Read(Long(JsonWebToken.MaxLength - 3)).TryGet(out _, out _));
        Refused(Long(JsonWebToken.MaxLength + 1));
        Refused(new string('x', 1_000_000));
        Refused(new string('.', 1_000_000));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(100)]
    [InlineData(1500)]
    public void Depth_is_bounded(int depth)
    {
        var deep = string.Concat(Enumerable.Repeat("[", depth)) + string.Concat(Enumerable.Repeat("]", depth));
        Refused(Jwt.Of(EsHeader, $$"""{"a":{{deep}}}""", Jwt.Es256(_ec)));
        Refused(Jwt.Of($$"""{"alg":"ES256","kid":"k","a":{{deep}}}""", Claims, Jwt.Es256(_ec)));
    }

    [Fact]
    public void A_token_that_is_cut_or_changed_anywhere_is_refused()
    {
        foreach (var good in new[] { Jwt.Of(EsHeader, Claims, Jwt.Es256(_ec)), Jwt.Of(RsHeader, Claims, Jwt.Rs256(_rsa)) })
        {
            for (var i = 0; i < good.Length; i++)
            {
                Refused(good[..i]);
                Refused(good.Remove(i, 1));
                Refused(good[..i] + (good[i] == 'A' ? 'B' : 'A') + good[(i + 1)..]);
            }
        }
    }

    [Fact]
    public void No_text_is_a_token_by_chance_and_none_fails_the_reader()
    {
        var good = Jwt.Of(EsHeader, Claims, Jwt.Es256(_ec));
        var characters = Gen.Elements("AZaz09-_.=+/ \n\0é\ud800".ToCharArray());
        var changed = Gen.Choose(0, good.Length - 1).SelectMany(at => characters.SelectMany(with => Gen.Elements(
            good.Insert(at, with.ToString()), good.Remove(at, 1), good[..at] + with + good[(at + 1)..],
            good[at..] + good[..at])));
        var json = Gen.Elements(
            "{}", "[]", "null", "1e999", "{\"alg\":\"ES256\"}", "{\"alg\":\"none\"}", EsHeader, Claims, "\"\\ud800\"", "{\"a\":", "\u0000");
        var built = json.SelectMany(header => json.SelectMany(claims => Gen.Elements(
            Jwt.Of(header, claims, Jwt.Nothing), Jwt.Of(header, claims, data => data[..Math.Min(64, data.Length)]),
            $"{header}.{claims}.")));
        var config = Config.QuickThrowOnFailure.WithMaxTest(3000);
        Check.One(config, Prop.ForAll(Gen.OneOf(changed, built).ToArbitrary(), text => text == good || !Accepts(text)));
        Check.One(config, Prop.ForAll<string>(text => text is null || !Accepts(text)));
    }

    [Theory]
    [InlineData("1e400", false)]
    [InlineData("-1", false)]
    [InlineData("253402300799", false)]
    [InlineData("\"4102444800\"", false)]
    [InlineData("null", false)]
    [InlineData("[1]", false)]
    [InlineData("99999999999999999999999", false)]
    [InlineData("0", true)]
    [InlineData("4102444800", true)]
    [InlineData("4102444800.5", true)]
    public void A_date_is_a_number_of_seconds_that_a_calendar_has(string value, bool isDate)
    {
        using var claims = JsonDocument.Parse($$"""{"exp":{{value}}}""");
        Assert.Equal(isDate, JsonWebToken.Time(claims.RootElement, "exp") is not null);
    }

    [Theory]
    [InlineData("\"a\"", true)]
    [InlineData("[\"b\",\"a\"]", true)]
    [InlineData("[]", false)]
    [InlineData("[\"A\"]", false)]
    [InlineData("[[\"a\"]]", false)]
    [InlineData("{\"a\":1}", false)]
    [InlineData("null", false)]
    [InlineData("\"a,b\"", false)]
    [InlineData("\"\"", false)]
    public void An_audience_is_named_as_a_whole(string value, bool named)
    {
        using var claims = JsonDocument.Parse($$"""{"aud":{{value}}}""");
        Assert.Equal(named, JsonWebToken.IsFor(claims.RootElement, "a"));
    }

    [Fact]
    public void Many_tokens_are_read_and_signed_at_once()
        => Parallel.For(0, 500, i =>
        {
            var token = i % 2 == 0
                ? JsonWebToken.Sign("k", _ec, json => json.WriteNumber("n", i))
                : Jwt.Of(RsHeader, $$"""{"n":{{i}}}""", Jwt.Rs256(_rsa));
            Assert.True(Read(token).TryGet(out var claims, out _));
            Assert.Equal(i, claims.GetProperty("n").GetInt32());
        });

    private void Refused(string token) => Assert.False(Accepts(token), token.Length > 2000 ? token[..2000] : token);

    private bool Accepts(string token) => Read(token).TryGet(out _, out _);

    private Domain.Errors.Result<JsonElement> Read(string token) => JsonWebToken.Read(token, _ => _keys);
}
