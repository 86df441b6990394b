using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Mvc;
using Registry.Application.Access.Groups;
using Registry.Application.Registries;
using Registry.Web.Access;

namespace Registry.Web.Admin;

/// <summary>Groups of local users.</summary>
[RequiresAdmin]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status400BadRequest, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status401Unauthorized, "application/problem+json")]
[ProducesResponseType<ProblemDetails>(StatusCodes.Status403Forbidden, "application/problem+json")]
public sealed class GroupsController(IMediator mediator, RegistryMap registries) : AdminController(mediator, registries)
{
    /// <summary>The groups of local users, in byte order of their names.</summary>
    /// <param name="prefix" example="dev">Only names that begin with this.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="dev">Only names behind this one.</param>
    [HttpGet("/api/v1/groups")]
    [ProducesResponseType<PageModel<GroupModel>>(200, "application/json")]
    public async Task<IActionResult> List(
        [FromQuery] string? prefix, [FromQuery] string? n, [FromQuery] string? last,
        CancellationToken cancellationToken)
    {
        if (!ReadPage(n, last).TryGet(out var page, out var errors)
            || !ReadPrefix(prefix).TryGet(out var begin, out errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListGroupsQuery(begin, page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, GroupModel.Of, group => group.Name)), Problem);
    }

    /// <summary>One group.</summary>
    /// <param name="name" example="dev">Its name.</param>
    [HttpGet("/api/v1/groups/{name}")]
    [ProducesResponseType<GroupModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Get(string name, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var group, out var errors))
            return Problem(errors);
        var found = await Mediator.Send(new FindGroupQuery(group), cancellationToken);
        return found.Match(Shown, Problem);
    }

    /// <summary>Adds a group without members.</summary>
    [HttpPost("/api/v1/groups"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<GroupModel>(201, "application/json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    public async Task<IActionResult> Create([FromBody] CreateGroupRequest body, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(body.Name).TryGet(out var name, out var errors))
            return Problem(errors);
        var made = await Mediator.Send(new CreateGroupCommand(name, body.Description ?? ""), cancellationToken);
        return made.Match(
            group =>
            {
                EntityVersion.Show(Response, group.Version);
                return Created($"/api/v1/groups/{group.Name}", GroupModel.Of(group));
            },
            Problem);
    }

    /// <summary>
    /// Gives a group another description. With <c>If-Match</c>, only while nobody else has changed it.
    /// </summary>
    /// <param name="name" example="dev">Its name.</param>
    [HttpPatch("/api/v1/groups/{name}"), ReadsJson, RequestSizeLimit(MaxBodyBytes)]
    [ProducesResponseType<GroupModel>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Change(
        string name, [FromBody] ChangeGroupRequest body, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var group, out var errors))
            return Problem(errors);
        var changed = await Mediator.Send(
            new DescribeGroupCommand(group, body.Description, EntityVersion.Wanted(Request)), cancellationToken);
        return changed.Match(Shown, Problem);
    }

    /// <summary>
    /// Removes a group; its members and the rules that name it stay. With <c>If-Match</c>, only while nobody else has
    /// changed it.
    /// </summary>
    /// <param name="name" example="dev">Its name.</param>
    [HttpDelete("/api/v1/groups/{name}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(412, "application/problem+json")]
    public async Task<IActionResult> Delete(string name, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var group, out var errors))
            return Problem(errors);
        var deleted = await Mediator.Send(
            new DeleteGroupCommand(group, EntityVersion.Wanted(Request)), cancellationToken);
        return deleted.Match(_ => NoContent(), Problem);
    }

    /// <summary>The users in a group, in byte order.</summary>
    /// <param name="name" example="dev">The group.</param>
    /// <param name="n" example="100">How many at most; 10,000 when left out.</param>
    /// <param name="last" example="alice">Only users behind this one.</param>
    [HttpGet("/api/v1/groups/{name}/members")]
    [ProducesResponseType<PageModel<string>>(200, "application/json")]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> ListMembers(
        string name, [FromQuery] string? n, [FromQuery] string? last, CancellationToken cancellationToken)
    {
        if (!ReadPage(n, last).TryGet(out var page, out var errors)
            || !ReadAccountName(name).TryGet(out var group, out errors))
            return Problem(errors);
        var listed = await Mediator.Send(new ListMembersQuery(group, page), cancellationToken);
        return listed.Match(found => Ok(ToModel(found, user => user, user => user)), Problem);
    }

    /// <summary>Puts a local user into a group, where it may be already.</summary>
    /// <param name="name" example="dev">The group.</param>
    /// <param name="user" example="alice">The user.</param>
    [HttpPut("/api/v1/groups/{name}/members/{user}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    public async Task<IActionResult> Join(string name, string user, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var group, out var errors)
            || !ReadAccountName(user).TryGet(out var member, out errors))
            return Problem(errors);
        var joined = await Mediator.Send(new JoinGroupCommand(group, member), cancellationToken);
        return joined.Match(_ => NoContent(), Problem);
    }

    /// <summary>Takes a local user out of a group, which it may have left already.</summary>
    /// <param name="name" example="dev">The group.</param>
    /// <param name="user" example="alice">The user.</param>
    [HttpDelete("/api/v1/groups/{name}/members/{user}")]
    [ProducesResponseType(204)]
    [ProducesResponseType<ProblemDetails>(404, "application/problem+json")]
    [ProducesResponseType<ProblemDetails>(409, "application/problem+json")]
    public async Task<IActionResult> Leave(string name, string user, CancellationToken cancellationToken)
    {
        if (!ReadAccountName(name).TryGet(out var group, out var errors)
            || !ReadAccountName(user).TryGet(out var member, out errors))
            return Problem(errors);
        var left = await Mediator.Send(new LeaveGroupCommand(group, member), cancellationToken);
        return left.Match(_ => NoContent(), Problem);
    }

    private IActionResult Shown(LocalGroup group)
    {
        EntityVersion.Show(Response, group.Version);
        return Ok(GroupModel.Of(group));
    }
}

/// <param name="Name" example="dev">
/// Up to 128 letters, digits and <c>. _ - @ +</c>, beginning with a letter or digit.
/// </param>
/// <param name="Description" example="Who works on the shop">One line of up to 500 characters.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateGroupRequest([Required] string Name, string? Description);

/// <param name="Description" example="Who works on the shop">One line of up to 500 characters.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeGroupRequest([Required(AllowEmptyStrings = true)] string Description);

/// <param name="Name" example="dev"></param>
/// <param name="Description" example="Who works on the shop"></param>
public sealed record GroupModel(string Name, string Description, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    internal static GroupModel Of(LocalGroup group)
        => new(group.Name, group.Description, group.CreatedAt, group.UpdatedAt);
}
