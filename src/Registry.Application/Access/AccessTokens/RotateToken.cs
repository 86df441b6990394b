using MediatR;
using Registry.Domain.Access;
using Registry.Domain.Errors;

namespace Registry.Application.Access.AccessTokens;

/// <summary>Gives a token another secret; the one before counts on until its users have the new one.</summary>
/// <param name="Caller">Its owner or an administrator; null for the operator of this machine.</param>
/// <param name="Robot">Whose token it must be; null for anybody's.</param>
/// <param name="Overlap">How long the secret before still counts; zero ends it at once.</param>
/// <param name="Version">Null for whichever it is.</param>
public sealed record RotateTokenCommand(
    Principal? Caller, RobotName? Robot, string Id, TimeSpan Overlap, long? Version)
    : IRequest<Result<RevealedToken>>;

internal sealed class RotateTokenHandler(IAccessTokens tokens, TokenDesk desk, TimeProvider time)
    : IRequestHandler<RotateTokenCommand, Result<RevealedToken>>
{
    private static readonly TimeSpan MaxOverlap = TimeSpan.FromDays(30);

    public async Task<Result<RevealedToken>> Handle(RotateTokenCommand command, CancellationToken cancellationToken)
    {
        if (command.Overlap < TimeSpan.Zero || command.Overlap > MaxOverlap)
            return OciError.RequestInvalid(
                $"The overlap is {command.Overlap.TotalSeconds:0} s, it must be from 0 to "
                + $"{MaxOverlap.TotalSeconds:0}.");
        var found = await desk.FindAsync(command.Caller, command.Robot, command.Id, cancellationToken);
        if (!found.TryGet(out var token, out var errors))
            return Result<RevealedToken>.Refused(errors);
        // It would keep its end, and its owner a secret that is worth nothing. And whoever signs in with another token
        // that ends must not get one that lives on.
        if (token.ExpiresAt <= time.GetUtcNow())
            return OciError.RequestInvalid($"{AccessToken.Called(token.Id)} has expired: make another one.");
        if (command.Caller?.Until < (token.ExpiresAt ?? DateTimeOffset.MaxValue))
            return OciError.Denied("The credential ends before the token does: sign in with the password.");
        return await tokens.RotateAsync(token.Id, command.Overlap, command.Version, cancellationToken);
    }
}
