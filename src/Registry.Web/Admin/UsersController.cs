using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.Users;
using Registry.Application.Registries;
using Registry.Domain.Errors;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>The users that the registry itself keeps.</summary>
[RequiresAdmin]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class UsersController(IMediator mediator, RegistryMap registries) : AdminController(mediator, registries)
{
    /// <summary>The local users, in byte order of their names.</summary>
    /// <param name="prefix" example="ali">Only names that begin with this.</param>
    /// <param name="enabled" example="true">Only those who can, or cannot, sign in.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="alice">Only names behind this one.</param>
    [HttpGet("/api/v1/users")]
    [ProducesResponseType<PageModel<UserModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        [FromQuery] string? prefix, [FromQuery] string? enabled, [FromQuery] string? n, [FromQuery] string? last,
        CancellationToken cancellationToken)
    {
        bool? only = null;
        if (enabled is not null)
        {
            if (!bool.TryParse(enabled, out var parsed))
                return Problem([OciError.RequestInvalid(
                    $"enabled is '{OciError.Shorten(enabled)}', it must be true or false.")]);
            only = parsed;
        }

        if (!ReadPage(n, last).TryGet(out var page, out var errors)
            || !ReadPrefix(prefix).TryGet(out var begin, out errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListUsersQuery(new(begin, only), page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, UserModel.Of, user => user.Name)), Problem);
    }

    /// <summary>One local user.</summary>
    /// <param name="name" example="alice">Its name.</param>
    [HttpGet("/api/v1/users/{name}")]
    [ProducesResponseType<UserModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Get(string name, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var user, out var errors))
            return Problem(errors);
        var found = await Mediator.Send(new FindUserQuery(user), cancellationToken);
        return found.Match(Shown, Problem);
    }

    /// <summary>Adds a local user, who is in no group.</summary>
    [HttpPost("/api/v1/users"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<UserModel>(201, "application/json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    public async Task<IActionResult> Create([FromBody] CreateUserRequest body, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(body.Name).TryGet(out var name, out var errors))
            return Problem(errors);
        var made = await Mediator.Send(
            new CreateUserCommand(name, body.Password, body.Enabled ?? true), cancellationToken);
        return made.Match(
            user =>
            {
                EntityVersion.Show(Response, user.Version);
                return Created($"/api/v1/users/{user.Name}", UserModel.Of(user));
            },
            Problem);
    }

    /// <summary>
    /// Gives a local user another password, locks it or lets it in again. A new password, or locking, ends all its
    /// tokens. With <c>If-Match</c>, only while nobody else has changed it.
    /// </summary>
    /// <param name="name" example="alice">Its name.</param>
    [HttpPatch("/api/v1/users/{name}"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<UserModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Change(
        string name, [FromBody] ChangeUserRequest body, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var user, out var errors))
            return Problem(errors);
        var changed = await Mediator.Send(
            new ChangeUserCommand(user, new(body.Password, body.Enabled), EntityVersion.Wanted(Request)),
            cancellationToken);
        return changed.Match(Shown, Problem);
    }

    /// <summary>
    /// Removes a local user with its tokens. Rules that name it stay. With <c>If-Match</c>, only while nobody else has
    /// changed it.
    /// </summary>
    /// <param name="name" example="alice">Its name.</param>
    [HttpDelete("/api/v1/users/{name}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Delete(string name, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var user, out var errors))
            return Problem(errors);
        var deleted = await Mediator.Send(
            new DeleteUserCommand(user, EntityVersion.Wanted(Request)), cancellationToken);
        return deleted.Match(_ => NoContent(), Problem);
    }

    private IActionResult Shown(LocalUser user)
    {
        EntityVersion.Show(Response, user.Version);
        return Ok(UserModel.Of(user));
    }
}

/// <param name="Name" example="alice">
/// Up to 128 letters, digits and <c>. _ - @ +</c>, beginning with a letter or digit.
/// </param>
/// <param name="Password" example="correct horse battery">8 to 512 characters, and not the name.</param>
/// <param name="Enabled" example="true">Whether it can sign in; true when left out.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateUserRequest([Required] string Name, [Required] string Password, bool? Enabled);

/// <param name="Password" example="correct horse battery">Left out, it stays.</param>
/// <param name="Enabled" example="false">Whether it can sign in. Left out, it stays.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeUserRequest(string? Password, bool? Enabled);

/// <param name="Name" example="alice"></param>
/// <param name="Enabled" example="true">Whether it can sign in.</param>
/// <param name="Groups">In byte order.</param>
public sealed record UserModel(
    string Name, bool Enabled, IReadOnlyList<string> Groups, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static UserModel Of(LocalUser user)
        => new(user.Name, user.Enabled, user.Groups, user.CreatedAt, user.UpdatedAt);
}
