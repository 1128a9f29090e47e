using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Security;
using SecureAppModel.Commands;

namespace SecureAppModel.Connect
{
    /// <summary>
    /// A service with a Connect cmdlet of its own: which tokens it needs, by which parameters it takes them or a certificate,
    /// and what ends the connection. A new service is a new class and a line in <see cref="All"/>.
    /// </summary>
    internal abstract class ConnectService
    {
        internal static IReadOnlyList<ConnectService> All { get; } = new ConnectService[]
        {
            new GraphService(),
            new ExchangeOnlineService(),
            new ComplianceService(),
            new AzService(),
            new TeamsService(),
            new PnPService(),
            new SharePointService(),
            new PartnerCenterService(),
            new MSOnlineService(),
            new AzureADService(),
        };

        /// <summary>The name that -Service takes.</summary>
        internal abstract string Name { get; }

        internal abstract string Command { get; }

        /// <summary>The cmdlet that ends the connection; null where there is none.</summary>
        internal abstract string? DisconnectCommand { get; }

        /// <summary>The module to install.</summary>
        internal abstract string Module { get; }

        /// <summary>The parameter that takes the token; null where the cmdlet has never taken one.</summary>
        internal abstract string? TokenParameter { get; }

        /// <summary>The version that brought <see cref="TokenParameter"/>; null where that is not documented.</summary>
        internal virtual string? TokenSince => null;

        internal abstract IReadOnlyList<TokenNeed> Needs { get; }

        /// <summary>How the cmdlet takes a certificate; null where it does not.</summary>
        internal virtual CertificateNames? Certificate => null;

        /// <summary>Since when Microsoft has retired it, and what to use; null where it is in service.</summary>
        internal virtual string? Retirement => null;

        /// <summary>True where it is connected to a site, whose host the token is for.</summary>
        internal virtual bool WantsSite => false;

        /// <summary>What does the same without the token or the version that is missing; empty where nothing does.</summary>
        internal virtual string Otherwise => string.Empty;

        /// <summary>True where the cmdlet must be told the domain that the tenant was made with.</summary>
        /// <param name="shape">The installed cmdlet.</param>
        /// <param name="isAppOnly">The token is the application's own.</param>
        /// <param name="isOwn">The tenant is known to be the credential's own.</param>
        internal virtual bool WantsInitialDomain(CommandShape shape, bool isAppOnly, bool isOwn) => false;

        /// <summary>Why this version cannot connect any more whatever it is passed; null where it can.</summary>
        internal virtual string? Outdated(Version version) => null;

        /// <summary>What to do about an error of the cmdlet's own that it explains badly; null where it does not.</summary>
        internal virtual string? Advice(string message) => null;

        /// <summary>Makes sure that the installed cmdlet takes what it would be passed. Nothing has been sent yet.</summary>
        /// <exception cref="SecureAppException">It does not.</exception>
        internal void Check(CommandShape shape, CertificateProof? proof)
        {
            string parameter = Anchor(proof) ?? throw (proof is null
                ? ErrorRecords.Refusal(Command + " takes no token.", ("Connect it with a certificate: -CertificateThumbPrint, -CertificateFilePath or -Certificate, with -AppID. " + Otherwise).Trim())
                : ErrorRecords.Refusal(
                    Command + " takes no certificate" + (Certificate is null ? "." : " " + proof.Form + "."),
                    Certificate is null ? "Leave -AppID and the certificate out: it is connected with tokens." : "Give the certificate in another form."));
            string installed = Installed(shape);
            string? outdated = shape.Version is Version version ? Outdated(version) : null;
            if (!shape.Takes(parameter))
            {
                string since = proof is null && TokenSince is not null ? "; it came with version " + TokenSince : string.Empty;
                throw Old(Command + " of the installed " + installed + " has no parameter -" + parameter + since + "." + (outdated is null ? string.Empty : " " + outdated));
            }

            if (outdated is not null)
            {
                throw Old("The installed " + installed + " cannot connect any more. " + outdated);
            }
        }

        /// <summary>The parameter without which nothing can be handed over.</summary>
        internal string? Anchor(CertificateProof? proof) =>
            proof is null ? TokenParameter : Certificate is null ? null : proof.ParameterOf(Certificate);

        /// <summary>Puts the cmdlet's parameters together.</summary>
        /// <exception cref="SecureAppException">The installed version does not take them, or the service wants to know more.</exception>
        internal Hashtable Parameters(ConnectContext context)
        {
            Check(context.Shape, context.Certificate);
            Hashtable parameters = new Hashtable(StringComparer.OrdinalIgnoreCase);
            if (context.Certificate is CertificateProof proof)
            {
                FillCertificate(parameters, context, proof, Certificate!);
            }
            else
            {
                FillToken(parameters, context);
            }

            FillRest(parameters, context);
            return parameters;
        }

        /// <summary>What the cmdlet that ends the connection is passed.</summary>
        internal Hashtable DisconnectParameters(CommandShape shape)
        {
            Hashtable parameters = new Hashtable(StringComparer.OrdinalIgnoreCase);
            if (shape.Takes("Confirm"))
            {
                // It has been asked here.
                parameters["Confirm"] = false;
            }

            FillDisconnect(parameters, shape);
            return parameters;
        }

        internal static ConnectService Find(string name) =>
            All.First(service => string.Equals(service.Name, name, StringComparison.OrdinalIgnoreCase));

        /// <summary>The tokens, and what goes with them.</summary>
        protected abstract void FillToken(Hashtable parameters, ConnectContext context);

        /// <summary>What is the same with a token and with a certificate.</summary>
        protected virtual void FillRest(Hashtable parameters, ConnectContext context)
        {
        }

        /// <summary>What ends this session's connection alone.</summary>
        protected virtual void FillDisconnect(Hashtable parameters, CommandShape shape)
        {
        }

        /// <summary>The tenant as the cmdlet takes it beside a certificate.</summary>
        protected virtual string TenantFor(ConnectContext context) => context.TenantId;

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

        private void FillCertificate(Hashtable parameters, ConnectContext context, CertificateProof proof, CertificateNames names)
        {
            parameters[names.Application] = proof.ApplicationId;
            parameters[names.Tenant] = TenantFor(context);
            parameters[proof.ParameterOf(names)!] = proof.Thumbprint ?? proof.FilePath ?? (object)proof.Certificate!;
            if (proof.Password is not null && names.Password is not null)
            {
                parameters[names.Password] = proof.Password;
            }

            if (names.Switch is not null)
            {
                parameters[names.Switch] = true;
            }
        }

        private string Installed(CommandShape shape) => shape.Version is null ? Module : Module + " " + shape.Version;

        private SecureAppException Old(string message) => ErrorRecords.Refusal(
            message,
            ("Update it: Install-Module " + Module + (TokenSince is null ? string.Empty : " -MinimumVersion " + TokenSince) + " -Scope CurrentUser -Force. " + Otherwise).Trim());
    }
}
