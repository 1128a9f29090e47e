using System;
using System.Collections.Generic;
using System.Linq;
using SecureAppModel.Interop;

namespace SecureAppModel
{
    /// <summary>What the caller can do about a failure.</summary>
    public enum SecureAppErrorKind
    {
        InvalidInput,
        NotSignedIn,
        Denied,
        NotFound,
        Throttled,
        Network,
        Timeout,
        Server,
        Protocol,
        Storage,
        Cancelled,
        Internal,
    }

    /// <summary>
    /// A failure: what failed, for which tenant and resource, what the service said, and what to do next. Texts are
    /// empty where nothing is known. Never holds a secret.
    /// </summary>
    public sealed class SecureAppException : Exception
    {
        private readonly ValueMap? _detail;

        internal SecureAppException(SecureAppErrorKind kind, string message, string advice = "", Exception? inner = null)
            : base(WithAdvice(message, advice), inner)
        {
            Kind = kind;
            Problem = message;
            Advice = advice;
        }

        private SecureAppException(SecureAppErrorKind kind, string problem, ValueMap detail, string advice)
            : base(WithAdvice(problem, advice))
        {
            _detail = detail;
            Kind = kind;
            Id = detail.Text("id");
            Problem = problem;
            Advice = Sentence(advice);
            TenantId = detail.Text("tenant");
            Resource = detail.Text("resource");
            HttpStatus = (int)detail.Int("httpStatus");
            Error = detail.Text("error");
            SubError = detail.Text("suberror");
            Code = detail.Text("code");
            Description = detail.Text("description");
            Claims = detail.Text("claims");
            TraceId = detail.Text("traceId");
            CorrelationId = detail.Text("correlationId");
            Timestamp = detail.Text("timestamp");
            ServiceResponse = detail.Text("body");
            RetryAfterSeconds = detail.OptionalInt("retryAfterSeconds");
        }

        public SecureAppErrorKind Kind { get; }

        /// <summary>The failure's own name, for example CertificateExpired; empty where the kind says enough.</summary>
        public string Id { get; } = string.Empty;

        /// <summary>The message without the advice.</summary>
        public string Problem { get; }

        /// <summary>What to do next.</summary>
        public string Advice { get; } = string.Empty;

        public string TenantId { get; } = string.Empty;

        public string Resource { get; } = string.Empty;

        /// <summary>HTTP status of the service's answer; 0 where there was none.</summary>
        public int HttpStatus { get; }

        /// <summary>The protocol's error name, for example invalid_grant.</summary>
        public string Error { get; } = string.Empty;

        public string SubError { get; } = string.Empty;

        /// <summary>The service's own number, for example AADSTS7000215.</summary>
        public string Code { get; } = string.Empty;

        /// <summary>The service's own text.</summary>
        public string Description { get; } = string.Empty;

        /// <summary>
        /// JSON that names what the next sign-in has to satisfy (a claims challenge); New-SecureAppRefreshToken -Claims takes it.
        /// </summary>
        public string Claims { get; } = string.Empty;

        public string TraceId { get; } = string.Empty;

        public string CorrelationId { get; } = string.Empty;

        /// <summary>When the service failed, in its own words.</summary>
        public string Timestamp { get; } = string.Empty;

        /// <summary>The body of the service's answer as received; JSON from the identity service.</summary>
        public string ServiceResponse { get; } = string.Empty;

        /// <summary>How long the service asked to wait.</summary>
        public long? RetryAfterSeconds { get; }

        internal static SecureAppException From(ValueMap detail, SecureAppErrorKind otherwise) =>
            new SecureAppException(
                Enum.TryParse(detail.Text("kind"), out SecureAppErrorKind kind) ? kind : otherwise, Describe(detail), detail, detail.Text("advice"));

        /// <summary>The same failure with one more thing to do about it.</summary>
        internal SecureAppException Advising(string more)
        {
            string advice = Join(Advice, more);
            return _detail is null ? new SecureAppException(Kind, Problem, advice, InnerException) : new SecureAppException(Kind, Problem, _detail, advice);
        }

        private static string Describe(ValueMap detail)
        {
            string message = Sentence(detail.Text("message"));
            List<string> subject = new List<string>();
            Mention(subject, message, "tenant ", detail.Text("tenant"));
            Mention(subject, message, "resource ", detail.Text("resource"));
            if (subject.Count > 0)
            {
                message += " (" + string.Join(", ", subject) + ")";
            }

            string said = detail.Text("description");
            string code = detail.Text("code");
            if (code.Length > 0 && Lacks(message, code) && Lacks(said, code))
            {
                said = said.Length > 0 ? code + ": " + said : code;
            }

            if (said.Length > 0 && Lacks(message, said))
            {
                message = Join(message, said);
            }

            List<string> ids = new List<string>();
            Mention(ids, message, "trace id ", detail.Text("traceId"));
            Mention(ids, message, "correlation id ", detail.Text("correlationId"));
            if (ids.Count > 0)
            {
                message = Join(message, Sentence(string.Join(", ", ids)));
            }

            return message.Length == 0 || EndsSentence(message) ? message : message + ".";
        }

        private static string WithAdvice(string problem, string advice) =>
            Lacks(problem, advice) ? Join(problem, Sentence(advice)) : problem;

        private static void Mention(List<string> parts, string message, string label, string value)
        {
            if (value.Length > 0 && Lacks(message, value))
            {
                parts.Add(label + value);
            }
        }

        private static bool Lacks(string text, string part) => text.IndexOf(part, StringComparison.OrdinalIgnoreCase) < 0;

        private static string Join(string first, string second)
        {
            first = first.Trim();
            second = second.Trim();
            if (first.Length == 0 || second.Length == 0)
            {
                return first + second;
            }

            return (EndsSentence(first) ? first + " " : first + ". ") + second;
        }

        private static bool EndsSentence(string text) => ".!?:".IndexOf(text[text.Length - 1]) >= 0;

        /// <summary>Begins with a capital letter, unless its first word is a name: an account, a host, a file.</summary>
        private static string Sentence(string text)
        {
            string first = text.Split(' ')[0].TrimEnd(',', ':', ';', '.');
            return first.Length > 0 && char.IsLower(first[0]) && first.All(letter => char.IsLetter(letter) || letter is '-' or '\'')
                ? char.ToUpperInvariant(text[0]) + text.Substring(1)
                : text;
        }
    }
}
