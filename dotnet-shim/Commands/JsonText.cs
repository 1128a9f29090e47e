using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using System.Security;
using System.Text;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Objects as JSON for a service: times in ISO 8601, enumerations by name, GUIDs and addresses as text, bytes as Base64. What was
    /// attached to a result to say whose it is does not go back to the service.
    /// </summary>
    internal sealed class JsonText
    {
        private const int DeepestNesting = 100;

        /// <summary>More than services take; an object that leads to everything else in the process is met here.</summary>
        private const int LongestText = 16 << 20;

        private const string Advice = "Give a hashtable or an object of texts, numbers, times, lists and others like it, or JSON text.";

        private readonly StringBuilder _text = new StringBuilder();
        private readonly bool _isExchange;

        private JsonText(bool isExchange) => _isExchange = isExchange;

        /// <exception cref="SecureAppException">Something in it has no form in JSON, or must not be sent by accident.</exception>
        internal static string Of(object? value) => Of(value, isExchange: false);

        /// <summary>The same for Exchange's cmdlets, which write durations as .NET does: 30.00:00:00.</summary>
        internal static string ForExchange(object? value) => Of(value, isExchange: true);

        private static string Of(object? value, bool isExchange)
        {
            JsonText json = new JsonText(isExchange);
            json.Value(value, 0);
            return json._text.ToString();
        }

        private void Value(object? value, int depth)
        {
            if (depth > DeepestNesting)
            {
                throw Refuse("The object is nested too deeply for JSON, or holds itself.");
            }

            if (_text.Length > LongestText)
            {
                throw Refuse("The object makes more JSON than a request can hold.");
            }

            object? bare = (value as PSObject)?.BaseObject ?? value;
            switch (bare)
            {
                case null:
                case DBNull _:
                    _text.Append("null");
                    return;
                case bool flag:
                    _text.Append(flag ? "true" : "false");
                    return;
                case SwitchParameter given:
                    _text.Append(given.IsPresent ? "true" : "false");
                    return;
                case string text:
                    Text(text);
                    return;
                case Enum name:
                    Text(name.ToString());
                    return;
                case double or float:
                    Number(Convert.ToDouble(bare, CultureInfo.InvariantCulture));
                    return;
                case byte or sbyte or short or ushort or int or uint or long or ulong or decimal or System.Numerics.BigInteger:
                    _text.Append(((IFormattable)bare).ToString(null, CultureInfo.InvariantCulture));
                    return;
                case DateTime time:
                    // A time without a zone is local, as everywhere in PowerShell.
                    Text(time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
                    return;
                case DateTimeOffset time:
                    Text(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture));
                    return;
                case TimeSpan duration:
                    Text(_isExchange ? duration.ToString("c", CultureInfo.InvariantCulture) : System.Xml.XmlConvert.ToString(duration));
                    return;
                case Guid or Uri or char or Version:
                    Text(bare.ToString() ?? string.Empty);
                    return;
                case byte[] bytes:
                    Text(Convert.ToBase64String(bytes));
                    return;
                case SecureString or PSCredential or SecureAppCredential or SecureAppAccessToken:
                    throw Refuse("The object holds a secret, a credential or a token, which is not sent unless it is given as text.");
                case ScriptBlock or Delegate or Type:
                    throw Refuse("The object holds something that is not data.");
                case IDictionary dictionary:
                    Object(Entries(dictionary), depth);
                    return;
                case IEnumerable items:
                    List(items, depth);
                    return;
                default:
                    Object(Properties(PSObject.AsPSObject(value!)), depth);
                    return;
            }
        }

        private void Object(IEnumerable<KeyValuePair<string, object?>> entries, int depth)
        {
            string separator = "{";
            foreach (KeyValuePair<string, object?> entry in entries)
            {
                _text.Append(separator);
                Text(entry.Key);
                _text.Append(':');
                Value(entry.Value, depth + 1);
                separator = ",";
            }

            _text.Append(separator == "{" ? "{}" : "}");
        }

        private void List(IEnumerable items, int depth)
        {
            string separator = "[";
            foreach (object? item in items)
            {
                _text.Append(separator);
                Value(item, depth + 1);
                separator = ",";
            }

            _text.Append(separator == "[" ? "[]" : "]");
        }

        private void Number(double number)
        {
            if (double.IsNaN(number) || double.IsInfinity(number))
            {
                throw Refuse("JSON has no number that is infinite or none.");
            }

            _text.Append(number.ToString("R", CultureInfo.InvariantCulture));
        }

        private void Text(string text)
        {
            _text.Append('"');
            foreach (char character in text)
            {
                switch (character)
                {
                    case '"':
                    case '\\':
                        _text.Append('\\').Append(character);
                        break;
                    case '\n':
                        _text.Append("\\n");
                        break;
                    default:
                        // Half a surrogate pair has no form in UTF-8, so it goes as an escape as well.
                        _text.Append(char.IsControl(character) || char.IsSurrogate(character)
                            ? "\\u" + ((int)character).ToString("x4", CultureInfo.InvariantCulture)
                            : character.ToString());
                        break;
                }
            }

            _text.Append('"');
        }

        private static IEnumerable<KeyValuePair<string, object?>> Entries(IDictionary dictionary)
        {
            foreach (DictionaryEntry entry in dictionary)
            {
                yield return new KeyValuePair<string, object?>(entry.Key.ToString() ?? string.Empty, entry.Value);
            }
        }

        private static IEnumerable<KeyValuePair<string, object?>> Properties(PSObject value) => value.Properties
            .Where(property => property.IsGettable && !TenantMark.IsOne(property.Name))
            .Select(property => new KeyValuePair<string, object?>(property.Name, property.Value));

        private static SecureAppException Refuse(string message) => ErrorRecords.Refusal(message, Advice);
    }
}
