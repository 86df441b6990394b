using System.Security.Cryptography;
using System.Text;
using Registry.Bench.Load;
using Registry.Bench.Servers;

namespace Registry.Bench.Workloads;

/// <summary>A blob that is larger than memory should be: one block again and again, each time with its number.</summary>
internal sealed class LongBlob
{
    private const int BlockBytes = 1024 * 1024;

    private readonly byte[] _block = new byte[BlockBytes];
    /// <param name="length">In bytes, a multiple of a mebibyte.</param>
    public LongBlob(long length)
    {
        Length = length;
        Random.Shared.NextBytes(_block);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long number = 0; number < length / BlockBytes; number++)
            hash.AppendData(Block(number));
        Digest = $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    /// <summary>In bytes.</summary>
    public long Length { get; }

    public string Digest { get; }

    public void Push(Target target, HttpConnection connection, string repository)
    {
        var upload = Image.StartUpload(target, connection, repository);
        var head = HttpRequest.Of(
            target.Address, "PATCH", upload, "Content-Type: application/octet-stream", $"Content-Length: {Length}");
        connection.SendPart(head);
        for (long number = 0; number < Length / BlockBytes; number++)
            connection.SendPart(Block(number));
        connection.ReceiveAnswer(head, 202);
        upload = Image.WithDigest(Image.LocationOf(target, connection), Digest);
        connection.Send(HttpRequest.Of(target.Address, "PUT", upload, "Content-Length: 0"), 201);
    }

    public void Pull(Target target, HttpConnection connection, string repository)
    {
        var got = connection.Send(HttpRequest.Of(target.Address, "GET", $"/v2/{repository}/blobs/{Digest}"), 200);
        if (got != Length)
            throw new InvalidOperationException($"{got} bytes came of {Length}.");
    }

    private byte[] Block(long number)
    {
        Encoding.ASCII.GetBytes($"{number:000000000000}").CopyTo(_block, 0);
        return _block;
    }
}
