using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Help;

/// <summary>The value that a parameter has in a cmdlet that nobody has given anything.</summary>
internal static class DefaultValue
{
    /// <summary>Null where there is none: what counts then is the cmdlet's decision, which its page tells.</summary>
    public static string? Of(CmdletInfo cmdlet, CommandParameterInfo parameter)
    {
        if (parameter.ParameterType == typeof(SwitchParameter))
        {
            return "False";
        }

        object? value = cmdlet.ImplementingType.GetProperty(parameter.Name)?.GetValue(Activator.CreateInstance(cmdlet.ImplementingType));
        string text = value is IEnumerable many and not string
            ? string.Join(", ", many.Cast<object>().Select(Text))
            : Text(value);
        return text.Length == 0 || parameter.IsMandatory ? null : text;
    }

    private static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}
