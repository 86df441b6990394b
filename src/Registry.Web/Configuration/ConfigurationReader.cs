using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Registry.Infrastructure;

namespace Registry.Web.Configuration;

/// <summary>
/// Binds the section <c>Registry</c>, and refuses what it does not understand: a key that is misspelt or a value of the
/// wrong kind must not quietly leave a default in force.
/// </summary>
internal static class ConfigurationReader
{
    public const string Section = "Registry";

    /// <exception cref="StartRefusedException">Names key, value and fix.</exception>
    public static RegistryOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        Check(section, typeof(RegistryOptions));
        var options = new RegistryOptions();
        section.Bind(options);
        OptionsRules.Complete(options);
        OptionsRules.Check(options);
        return options;
    }

    private static void Check(IConfigurationSection section, Type type)
    {
        foreach (var child in section.GetChildren())
        {
            var property = type.GetProperty(
                    child.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase)
                ?? throw new StartRefusedException(
                    $"{child.Path} is not a known setting; {section.Path} knows "
                    + $"{string.Join(", ", type.GetProperties().Select(known => known.Name))}.");
            CheckValue(child, property.PropertyType);
        }
    }

    private static void CheckValue(IConfigurationSection section, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        CheckShape(section, type);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IDictionary<,>))
        {
            foreach (var entry in section.GetChildren())
                CheckValue(entry, type.GetGenericArguments()[1]);
        }
        else if (type.IsGenericType)
        {
            foreach (var entry in section.GetChildren())
                CheckValue(entry, type.GetGenericArguments()[0]);
        }
        else if (type.IsClass && type != typeof(string))
        {
            Check(section, type);
        }
        else if (section.Value is { } value && !IsValid(value, type))
        {
            throw new StartRefusedException($"{section.Path} is '{value}', but must be {Expected(type)}.");
        }
    }

    // A value in the place of a list or group, or the other way round, would be passed over.
    private static void CheckShape(IConfigurationSection section, Type type)
    {
        var single = type == typeof(string) || type.IsValueType;
        if (single && section.GetChildren().FirstOrDefault() is { } child)
            throw new StartRefusedException(
                $"{child.Path} is not a known setting; {section.Path} must be {Expected(type)}.");
        if (!single && section.Value is { Length: > 0 } value)
        {
            throw new StartRefusedException(
                $"{section.Path} is '{value}', but must be "
                + (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>)
                    ? $"a list ({section.Path}:0, {section.Path}:1 …)."
                    : "a group of settings."));
        }
    }

    private static bool IsValid(string value, Type type)
    {
        if (type == typeof(string))
            return true;
        if (type == typeof(TimeSpan)) // the converter takes "5" and "24:00:00" for days
            return value.Contains(':', StringComparison.Ordinal)
                && TimeSpan.TryParseExact(value, "c", CultureInfo.InvariantCulture, out _);
        if (type.IsEnum)
            return Enum.GetNames(type).Contains(value, StringComparer.OrdinalIgnoreCase);
        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value) is not null;
        }
        catch (Exception e)
            when (e is FormatException or ArgumentException or OverflowException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Expected(Type type)
        => type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
            : type == typeof(bool) ? "true or false"
            : type == typeof(string) ? "a single text"
            : type == typeof(TimeSpan) ? "a time span such as 00:30:00 or 1.00:00:00 (a day)"
            : "a whole number";
}
