using System;
using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;
using System.Text.RegularExpressions;

namespace SecureAppModel.Tenants
{
    /// <summary>
    /// What the $using: expressions of a script stand for, read in the caller's session. A script that runs elsewhere gets them as
    /// the argument of a parameter by the name of PowerShell's verbatim argument, keyed by the text of each expression.
    /// </summary>
    internal static class UsingValues
    {
        /// <summary>The parameter that takes them.</summary>
        internal const string Parameter = "--%";

        /// <exception cref="SecureAppException">An expression has no value in the caller's session.</exception>
        internal static Hashtable Of(ScriptBlock script, SessionState caller)
        {
            Hashtable values = new Hashtable();
            foreach (Ast found in script.Ast.FindAll(node => node is UsingExpressionAst, searchNestedScriptBlocks: true))
            {
                UsingExpressionAst expression = (UsingExpressionAst)found;
                values[Key(expression)] = Value(expression, caller);
            }

            return values;
        }

        /// <summary>As the engine looks a value up: variables in lower case, since their names have none.</summary>
        private static string Key(UsingExpressionAst expression)
        {
            string text = expression.ToString();
            return Convert.ToBase64String(Encoding.Unicode.GetBytes(expression.SubExpression is VariableExpressionAst ? text.ToLowerInvariant() : text));
        }

        private static object? Value(UsingExpressionAst expression, SessionState caller)
        {
            if (expression.SubExpression is VariableExpressionAst variable)
            {
                string name = variable.VariablePath.UserPath;
                return caller.PSVariable.Get(name) is PSVariable found
                    ? found.Value
                    : throw Commands.ErrorRecords.Refusal("The script uses a variable of this session that is not there: " + Commands.Shown.Key(name) + ".", "Set it first, or correct its name.");
            }

            // A property or an element of a variable: the same expression in the caller's session.
            string here = Regex.Replace(expression.SubExpression.ToString(), @"([$@]\{?)using:", "$1", RegexOptions.IgnoreCase);
            try
            {
                return caller.InvokeCommand.NewScriptBlock(here).InvokeReturnAsIs();
            }
            catch (RuntimeException cause)
            {
                throw new SecureAppException(SecureAppErrorKind.InvalidInput, "A $using: expression of the script has no value in this session.", "Correct it, or put its value into a variable first.", cause);
            }
        }
    }
}
