using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Security;
using SecureAppModel.Commands;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// A service with a Connect cmdlet of its own: which tokens it needs, and by which parameters it takes them. A new
    /// service is a new class and a line in <see cref="All"/>.
    /// </summary>
    internal abstract class ConnectService
    {
        internal static IReadOnlyList<ConnectService> All { get; } = new ConnectService[]
        {
            new GraphService(),
            new ExchangeOnlineService(),
            new PartnerCenterService(),
            new MSOnlineService(),
            new AzureADService(),
        };

        /// <summary>The name that -Service takes.</summary>
        internal abstract string Name { get; }

        internal abstract string Command { get; }

        /// <summary>The module to install.</summary>
        internal abstract string Module { get; }

        /// <summary>The parameter that takes the token; without it nothing can be handed over.</summary>
        internal abstract string TokenParameter { get; }

        internal abstract IReadOnlyList<TokenNeed> Needs { get; }

        /// <summary>Since when Microsoft has retired it, and what to use; null where it is in service.</summary>
        internal virtual string? Retirement => null;

        /// <summary>True where the cmdlet must be told the domain that the tenant was made with.</summary>
        internal virtual bool WantsInitialDomain(CommandShape shape, bool isAppOnly) => false;

        /// <summary>Puts the cmdlet's parameters together.</summary>
        /// <exception cref="SecureAppException">The installed version takes no token, or the service wants to know more.</exception>
        internal Hashtable Parameters(ConnectContext context)
        {
            if (!context.Shape.Takes(TokenParameter))
            {
                throw new SecureAppException(
                    SecureAppErrorKind.InvalidInput,
                    "The installed " + Command + " has no parameter -" + TokenParameter + ".",
                    "Update its module: Install-Module " + Module + " -Scope CurrentUser -Force");
            }

            Hashtable parameters = new Hashtable(StringComparer.OrdinalIgnoreCase);
            Fill(parameters, context);
            return parameters;
        }

        internal static ConnectService Find(string name) =>
            All.First(service => string.Equals(service.Name, name, StringComparison.OrdinalIgnoreCase));

        protected abstract void Fill(Hashtable parameters, ConnectContext context);

        /// <summary>A token in the type that the parameter has: SecureString in newer modules, text in older ones.</summary>
        protected static object Token(ServiceToken token, Type? parameterType, bool secureByDefault = false) =>
            (parameterType is null ? secureByDefault : parameterType == typeof(SecureString))
                ? CredentialInput.Secure(token.AccessToken)
                : token.AccessToken;

        protected static void SetToken(Hashtable parameters, ConnectContext context, string name, string service) =>
            parameters[name] = Token(context.Token(service), context.Shape.TypeOf(name));

        protected static void SetIfTaken(Hashtable parameters, ConnectContext context, string name, object value)
        {
            if (context.Shape.Takes(name))
            {
                parameters[name] = value;
            }
        }

        /// <summary>Names the cloud where the cmdlet must be told; the public one is what each of them assumes.</summary>
        /// <param name="parameters">Where it goes.</param>
        /// <param name="context">What is known.</param>
        /// <param name="name">The cmdlet's parameter for it.</param>
        /// <param name="governmentHigh">Its words for GCC High.</param>
        /// <param name="defense">Its words for the Department of Defense.</param>
        /// <param name="china">Its words for 21Vianet.</param>
        protected static void SetCloud(
            Hashtable parameters, ConnectContext context, string name, string[] governmentHigh, string[] defense, string[] china)
        {
            string[]? words = context.Environment.ToUpperInvariant() switch
            {
                "USGOV" => governmentHigh,
                "USGOVDOD" => defense,
                "CHINA" => china,
                _ => null,
            };
            if (words is not null && context.Shape.Takes(name))
            {
                parameters[name] = context.Shape.Choose(name, words);
            }
        }
    }
}
