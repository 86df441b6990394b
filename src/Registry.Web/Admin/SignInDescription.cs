using Microsoft.OpenApi;
using Registry.Web.Access;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Registry.Web.Admin;

/// <summary>
/// Tells the document of the admin API how to sign in, and each of its operations whether it needs that. A host's other
/// documents are left alone.
/// </summary>
internal sealed class SignInDescription : IOperationFilter, IDocumentFilter
{
    private const string Scheme = "basic";

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        if (context.DocumentName != WebServices.ApiDocument)
            return;
        swaggerDoc.Components ??= new();
        swaggerDoc.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(
            StringComparer.Ordinal);
        swaggerDoc.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = Scheme,
            Description = "A user with the password or an access token, or robot+NAME with a token of that robot.",
        };
    }

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (context.DocumentName != WebServices.ApiDocument)
            return;
        var signIn = new OpenApiSecurityRequirement
        {
            [new OpenApiSecuritySchemeReference(Scheme, context.Document)] = [],
        };
        // Where it depends on the rules whether everybody may, credentials can be left out.
        var rules = context.MethodInfo.GetCustomAttributes(inherit: true)
            .Concat(context.MethodInfo.ReflectedType!.GetCustomAttributes(inherit: true));
        operation.Security = rules.Any(rule => rule is RequiresAdminAttribute or RequiresUserAttribute)
            ? [signIn]
            : [signIn, new OpenApiSecurityRequirement()];
    }
}
