using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Help;

/// <summary>The value that a parameter has in a command that nobody has given anything.</summary>
internal static class DefaultValue
{
    /// <summary>Null where there is none: what counts then is the command's decision, which its page tells.</summary>
    public static string? Of(CommandInfo command, CommandParameterInfo parameter)
    {
        if (parameter.ParameterType == typeof(SwitchParameter))
        {
            return "False";
        }

        if (command is not CmdletInfo cmdlet)
        {
            return null;
        }

        object? value = cmdlet.ImplementingType.GetProperty(parameter.Name)?.GetValue(Activator.CreateInstance(cmdlet.ImplementingType));
        string text = value is IEnumerable many and not string
            ? string.Join(", ", many.Cast<object>().Select(Text))
            : Text(value);
        return text.Length == 0 || parameter.IsMandatory ? null : text;
    }

    private static string Text(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}
