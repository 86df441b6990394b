using Registry.Infrastructure.Access.Htpasswd;

namespace Registry.Testing;

/// <summary>Files as <c>htpasswd -B</c> writes them, at the lowest cost.</summary>
public static class Htpasswd
{
    public static string Line(string user, string password)
        => $"{user}:{Bcrypt.Hash(password, "$2y$04$abcdefghijklmnopqrstuu")}";
}
