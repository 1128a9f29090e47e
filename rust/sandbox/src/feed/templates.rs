//! The shapes of generated records, one per kind of event, in the field order and with the oddities that real ones have:
//! escaped slashes, numbers as text, JSON inside text with line breaks, booleans as text, names that end in a full stop
//! or a blank ("Office 365 Management Activity API schema", and records published under open licences).
//!
//! `%` and a letter stands for a value; see [`super::record`].

use super::plan::ContentType;

/// One kind of event.
pub(crate) struct Template {
    pub(crate) record_type: u32,
    /// How often it occurs within its content type, relative to the others.
    pub(crate) weight: u64,
    pub(crate) text: &'static str,
}

/// Kinds of a content type.
pub(crate) fn of(content: ContentType) -> &'static [Template] {
    match content {
        ContentType::AzureActiveDirectory => DIRECTORY,
        ContentType::Exchange => EXCHANGE,
        ContentType::SharePoint => SHAREPOINT,
        ContentType::General | ContentType::Dlp => GENERAL,
    }
}

const fn template(record_type: u32, weight: u64, text: &'static str) -> Template {
    Template {
        record_type,
        weight,
        text,
    }
}

const DIRECTORY: &[Template] = &[
    template(
        15,
        50,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"UserLoggedIn","OrganizationId":"%o","RecordType":15,"ResultStatus":"Success","UserKey":"%h","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"%a","ObjectId":"00000003-0000-0000-c000-000000000000","UserId":"%u","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"Redirect"},{"Name":"UserAgent","Value":"%U"},{"Name":"RequestType","Value":"OAuth2:Authorize"}],"ModifiedProperties":[],"Actor":[{"ID":"%h","Type":0},{"ID":"%u","Type":5}],"ActorContextId":"%o","ActorIpAddress":"%a","InterSystemsId":"%g","IntraSystemId":"%i","SupportTicketId":"","Target":[{"ID":"00000003-0000-0000-c000-000000000000","Type":0}],"TargetContextId":"%o","ApplicationId":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c","DeviceProperties":[{"Name":"OS","Value":"Windows 10"},{"Name":"BrowserType","Value":"Edge"},{"Name":"IsCompliantAndManaged","Value":"False"},{"Name":"SessionId","Value":"%g"}],"ErrorNumber":"0"}"#,
    ),
    template(
        15,
        15,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"UserLoginFailed","OrganizationId":"%o","RecordType":15,"ResultStatus":"Failed","UserKey":"%h","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"%a","ObjectId":"00000002-0000-0ff1-ce00-000000000000","UserId":"%u","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"ResultStatusDetail","Value":"UserError"},{"Name":"UserAgent","Value":"%U"},{"Name":"UserAuthenticationMethod","Value":"1"},{"Name":"RequestType","Value":"Login:login"}],"ModifiedProperties":[],"Actor":[{"ID":"%h","Type":0},{"ID":"%u","Type":5}],"ActorContextId":"%o","ActorIpAddress":"%a","InterSystemsId":"%g","IntraSystemId":"%i","SupportTicketId":"","Target":[{"ID":"00000002-0000-0ff1-ce00-000000000000","Type":0}],"TargetContextId":"%o","ApplicationId":"4345a7b9-9a63-4910-a426-35363201d503","DeviceProperties":[{"Name":"OS","Value":"MacOs"},{"Name":"BrowserType","Value":"Chrome"},{"Name":"IsCompliantAndManaged","Value":"False"},{"Name":"SessionId","Value":"%g"}],"ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword"}"#,
    ),
    template(
        8,
        20,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"Update user.","OrganizationId":"%o","RecordType":8,"ResultStatus":"Success","UserKey":"%k@%d","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"","ObjectId":"%u","UserId":"ServicePrincipal_%g","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"additionalDetails","Value":"{\"UserType\":\"Member\"}"},{"Name":"extendedAuditEventCategory","Value":"User"}],"ModifiedProperties":[{"Name":"AssignedLicense","NewValue":"[\r\n  \"[SkuName=ENTERPRISEPACK, AccountId=%o, SkuId=%g, DisabledPlans=[]]\"\r\n]","OldValue":"[]"},{"Name":"AssignedPlan","NewValue":"[\r\n  {\r\n    \"SubscribedPlanId\": \"%g\",\r\n    \"ServiceInstance\": \"exchange/EURPR04-00%c-01\",\r\n    \"CapabilityStatus\": 0,\r\n    \"AssignedTimestamp\": \"%tZ\",\r\n    \"InitialState\": null,\r\n    \"Capability\": null,\r\n    \"ServicePlanId\": \"%g\"\r\n  },\r\n  {\r\n    \"SubscribedPlanId\": \"%g\",\r\n    \"ServiceInstance\": \"SharePoint/SPOS%c\",\r\n    \"CapabilityStatus\": 0,\r\n    \"AssignedTimestamp\": \"%tZ\",\r\n    \"InitialState\": null,\r\n    \"Capability\": null,\r\n    \"ServicePlanId\": \"%g\"\r\n  }\r\n]","OldValue":"[]"},{"Name":"Included Updated Properties","NewValue":"AssignedLicense, AssignedPlan","OldValue":""},{"Name":"Action Client Name","NewValue":"DirectorySync","OldValue":""},{"Name":"TargetId.UserType","NewValue":"Member","OldValue":""}],"Actor":[{"ID":"Microsoft Office 365 Portal","Type":1},{"ID":"00000006-0000-0ff1-ce00-000000000000","Type":2},{"ID":"ServicePrincipal_%g","Type":2},{"ID":"%g","Type":2},{"ID":"ServicePrincipal","Type":2}],"ActorContextId":"%o","InterSystemsId":"%g","IntraSystemId":"%g","SupportTicketId":"","Target":[{"ID":"User_%h","Type":2},{"ID":"%h","Type":2},{"ID":"User","Type":2},{"ID":"%u","Type":5},{"ID":"%k","Type":3}],"TargetContextId":"%o"}"#,
    ),
    template(
        8,
        8,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"Add member to role.","OrganizationId":"%o","RecordType":8,"ResultStatus":"Success","UserKey":"%k@%d","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ObjectId":"%u","UserId":"admin@%d","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"additionalDetails","Value":"{}"},{"Name":"extendedAuditEventCategory","Value":"Role"}],"ModifiedProperties":[{"Name":"Role.ObjectID","NewValue":"%g","OldValue":""},{"Name":"Role.DisplayName","NewValue":"Exchange Administrator","OldValue":""},{"Name":"Role.TemplateId","NewValue":"29232cdf-9323-42fd-ade2-1d097af3e4de","OldValue":""},{"Name":"Role.WellKnownObjectName","NewValue":"ExchangeServiceAdmins","OldValue":""}],"Actor":[{"ID":"admin@%d","Type":5},{"ID":"%k","Type":3},{"ID":"User_%g","Type":2},{"ID":"%g","Type":2},{"ID":"User","Type":2}],"ActorContextId":"%o","ActorIpAddress":"%a","InterSystemsId":"%g","IntraSystemId":"%g","SupportTicketId":"","Target":[{"ID":"User_%h","Type":2},{"ID":"%h","Type":2},{"ID":"User","Type":2},{"ID":"%u","Type":5},{"ID":"%k","Type":3}],"TargetContextId":"%o"}"#,
    ),
    template(
        8,
        7,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"Update application – Certificates and secrets management ","OrganizationId":"%o","RecordType":8,"ResultStatus":"Success","UserKey":"%k@%d","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"%a","ObjectId":"Application_%g","UserId":"admin@%d","AzureActiveDirectoryEventType":1,"ExtendedProperties":[{"Name":"additionalDetails","Value":"{\"User-Agent\":\"Mozilla\/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell\/5.1.17763.1971\"}"},{"Name":"extendedAuditEventCategory","Value":"Application"}],"ModifiedProperties":[{"Name":"KeyDescription","NewValue":"[\r\n  \"[KeyIdentifier=%g,KeyType=Password,KeyUsage=Verify,DisplayName=%N]\"\r\n]","OldValue":"[]"},{"Name":"Included Updated Properties","NewValue":"KeyDescription","OldValue":""}],"Actor":[{"ID":"admin@%d","Type":5},{"ID":"%k","Type":3},{"ID":"User_%g","Type":2}],"ActorContextId":"%o","InterSystemsId":"%g","IntraSystemId":"%g","SupportTicketId":"","Target":[{"ID":"Application_%g","Type":2},{"ID":"Application","Type":2},{"ID":"Partner Center Application","Type":1}],"TargetContextId":"%o"}"#,
    ),
];

const EXCHANGE: &[Template] = &[
    template(
        1,
        14,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"Set-Mailbox","OrganizationId":"%o","RecordType":1,"ResultStatus":"True","UserKey":"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)","UserType":3,"Version":1,"Workload":"Exchange","ObjectId":"EURPR04A009.PROD.OUTLOOK.COM\/Microsoft Exchange Hosted Organizations\/%d\/%n","UserId":"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)","AppId":"","ClientAppId":"","ExternalAccess":true,"OrganizationName":"%d","OriginatingServer":"%v","Parameters":[{"Name":"Identity","Value":"EURPR04A009.PROD.OUTLOOK.COM\/Microsoft Exchange Hosted Organizations\/%d\/%n"},{"Name":"AuditEnabled","Value":"True"},{"Name":"DefaultAuditSet","Value":"Admin;Delegate;Owner"},{"Name":"Force","Value":"True"}]}"#,
    ),
    template(
        1,
        6,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"New-InboxRule","OrganizationId":"%o","RecordType":1,"ResultStatus":"True","UserKey":"%k","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"%a:%c","ObjectId":"%n\\invoices","UserId":"%u","AppId":"00000002-0000-0ff1-ce00-000000000000","ClientAppId":"","ExternalAccess":false,"OrganizationName":"%d","OriginatingServer":"%v\r\n","Parameters":[{"Name":"AlwaysDeleteOutlookRulesBlob","Value":"False"},{"Name":"Force","Value":"False"},{"Name":"MoveToFolder","Value":"RSS Feeds"},{"Name":"Name","Value":"invoices"},{"Name":"SubjectOrBodyContainsWords","Value":"invoice;payment;\"wire transfer\""},{"Name":"StopProcessingRules","Value":"True"}],"SessionId":"%g"}"#,
    ),
    template(
        2,
        22,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"Create","OrganizationId":"%o","RecordType":2,"ResultStatus":"Succeeded","UserKey":"%k","UserType":0,"Version":1,"Workload":"Exchange","ClientIP":"%a","UserId":"%u","AppId":"00000003-0000-0000-c000-000000000000","ClientAppId":"%g","ClientIPAddress":"%a","ClientInfoString":"Client=REST;;","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-1825954961-3338807533-2873504967-%c","MailboxGuid":"%h","MailboxOwnerSid":"S-1-5-21-1825954961-3338807533-2873504967-%c","MailboxOwnerUPN":"%u","OrganizationName":"%d","OriginatingServer":"%v\r\n","SessionId":"%g","Item":{"Attachments":"%f (%cb); ","Id":"RgAAAAB%bAAAJ","InternetMessageId":"<%x%x@AM0PR04MB%c.eurprd04.prod.outlook.com>","ParentFolder":{"Id":"LgAAAAB%bAAAB","Name":"Drafts","Path":"\\Drafts"},"SizeInBytes":%c,"Subject":"RE: Ænderung der Rechnung № %c – „dringend“"}}"#,
    ),
    template(
        3,
        6,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"MoveToDeletedItems","OrganizationId":"%o","RecordType":3,"ResultStatus":"Succeeded","UserKey":"%k","UserType":0,"Version":1,"Workload":"Exchange","ClientIP":"%a","UserId":"%u","AppId":"","ClientAppId":"","ClientIPAddress":"%a","ClientInfoString":"Client=OWA;Action=ViaProxy","ExternalAccess":"False","InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-1825954961-3338807533-2873504967-%c","MailboxGuid":"%h","MailboxOwnerSid":"S-1-5-21-1825954961-3338807533-2873504967-%c","MailboxOwnerUPN":"%u","OrganizationName":"%d","OriginatingServer":"%v\r\n","SessionId":"%g","CrossMailboxOperation":false,"AffectedItems":[{"Id":"RgAAAAB%bAAAJ","InternetMessageId":"<%x%x@AM0PR04MB%c.eurprd04.prod.outlook.com>","ParentFolder":{"Id":"LgAAAAB%bAAAB","Path":"\\Inbox"},"Subject":"Your weekly digest"},{"Id":"RgAAAAB%bAAAJ","InternetMessageId":"<%x%x@mail.example>","ParentFolder":{"Id":"LgAAAAB%bAAAB","Path":"\\Inbox"},"Subject":"{\"not\": [\"json\", \"but]}\\ text\"}"}],"DestFolder":{"Id":"LgAAAAB%bAAAB","Path":"\\Deleted Items"},"Folder":{"Id":"LgAAAAB%bAAAB","Path":"\\Inbox"}}"#,
    ),
    template(
        50,
        32,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"MailItemsAccessed","OrganizationId":"%o","RecordType":50,"ResultStatus":"Succeeded","UserKey":"%k","UserType":0,"Version":1,"Workload":"Exchange","UserId":"%u","AppId":"00000002-0000-0ff1-ce00-000000000000","ClientAppId":"","ClientIPAddress":"%a","ClientInfoString":"Client=OWA;Action=ViaProxy","ExternalAccess":false,"InternalLogonType":0,"LogonType":0,"LogonUserSid":"S-1-5-21-1825954961-3338807533-2873504967-%c","MailboxGuid":"%h","MailboxOwnerSid":"S-1-5-21-1825954961-3338807533-2873504967-%c","MailboxOwnerUPN":"%u","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"OrganizationName":"%d","OriginatingServer":"%v\r\n","SessionId":"%g","Folders":[{"FolderItems":[{"InternetMessageId":"<%x%x@AM0PR04MB%c.eurprd04.prod.outlook.com>"},{"InternetMessageId":"<%x%x@AM0PR04MB%c.eurprd04.prod.outlook.com>"},{"InternetMessageId":"<%g@az.westeurope.microsoft.com>"}],"Id":"LgAAAAB%bAAAB","Path":"\\Inbox"},{"FolderItems":[{"InternetMessageId":"<%x%x@AM0PR04MB%c.eurprd04.prod.outlook.com>"},{"InternetMessageId":"<%x%x@mail.example>"}],"Id":"LgAAAAB%bAAAB","Path":"\\Sent Items"}],"OperationCount":5}"#,
    ),
];

const SHAREPOINT: &[Template] = &[
    template(
        6,
        45,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"FileAccessed","OrganizationId":"%o","RecordType":6,"UserKey":"i:0h.f|membership|%x@live.com","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"%a","ObjectId":"https:\/\/%s.sharepoint.com\/sites\/operations\/Shared Documents\/%f","UserId":"%u","CorrelationId":"%g","EventSource":"SharePoint","ItemType":"File","ListId":"%g","ListItemUniqueId":"%g","Site":"%g","UserAgent":"%U","WebId":"%g","HighPriorityMediaProcessing":false,"SourceFileExtension":"docx","SiteUrl":"https:\/\/%s.sharepoint.com\/sites\/operations\/","SourceFileName":"%f","SourceRelativeUrl":"Shared Documents","ApplicationDisplayName":"SharePoint Online Web Client Extensibility","ApplicationId":"08e18876-6177-487e-b8b5-cf950c1e598c"}"#,
    ),
    template(
        6,
        20,
        r#"{"AppAccessContext":{"AADSessionId":"%g","ClientAppId":"%g","ClientAppName":"OneDrive SyncEngine","CorrelationId":"%g","UniqueTokenId":"%b"},"CreationTime":"%t","Id":"%i","Operation":"FileModifiedExtended","OrganizationId":"%o","RecordType":6,"UserKey":"i:0h.f|membership|%x@live.com","UserType":0,"Version":1,"Workload":"OneDrive","ClientIP":"%a","ObjectId":"https:\/\/%s-my.sharepoint.com\/personal\/%n\/Documents\/%f","UserId":"%u","CorrelationId":"%g","DoNotDistributeEvent":"true","EventSource":"SharePoint","FileSizeBytes":%c,"ItemType":"File","ListId":"%g","ListItemUniqueId":"%g","Site":"%g","UserAgent":"Microsoft SkyDriveSync 22.207.1002.0003 ship; Windows NT 10.0 (22621)","WebId":"%g","SourceFileExtension":"docx","SiteUrl":"https:\/\/%s-my.sharepoint.com\/personal\/%n\/","SourceFileName":"%f","SourceRelativeUrl":"Documents"}"#,
    ),
    template(
        4,
        15,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"PageViewed","OrganizationId":"%o","RecordType":4,"UserKey":"i:0h.f|membership|%x@live.com","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"%a","ObjectId":"https:\/\/%s.sharepoint.com\/_layouts\/15\/online\/AdminHome.aspx","UserId":"%u","CorrelationId":"%g","CustomUniqueId":false,"EventSource":"SharePoint","ItemType":"Page","ListItemUniqueId":"%g","Site":"%g","UserAgent":"%U","WebId":"%g"}"#,
    ),
    template(
        14,
        10,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"AnonymousLinkCreated","OrganizationId":"%o","RecordType":14,"UserKey":"i:0h.f|membership|%x@live.com","UserType":0,"Version":1,"Workload":"OneDrive","ClientIP":"%a","ObjectId":"https:\/\/%s-my.sharepoint.com\/personal\/%n\/Documents\/%f","UserId":"%u","CorrelationId":"%g","EventSource":"SharePoint","ItemType":"File","ListId":"%g","ListItemUniqueId":"%g","Site":"%g","UserAgent":"%U","WebId":"%g","EventData":"<Type>View<\/Type><MembersCanShareApplied>False<\/MembersCanShareApplied>","SourceFileExtension":"docx","TargetUserOrGroupType":"Member","SiteUrl":"https:\/\/%s-my.sharepoint.com\/personal\/%n","SourceFileName":"%f","SourceRelativeUrl":"Documents","TargetUserOrGroupName":"SharingLinks.%g.AnonymousView.%g","UniqueSharingId":"%g"}"#,
    ),
    template(
        36,
        6,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"ListViewed","OrganizationId":"%o","RecordType":36,"UserKey":"i:0h.f|membership|%x@live.com","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"%a","ObjectId":"https:\/\/%s.sharepoint.com\/sites\/operations\/Lists\/Tasks","UserId":"%u","CorrelationId":"%g","DoNotDistributeEvent":true,"EventSource":"SharePoint","ItemType":"List","ListId":"%g","Site":"%g","UserAgent":"%U","WebId":"%g","FromApp":false,"IsDocLib":false,"ItemCount":%c,"ListBaseTemplateType":"171","ListBaseType":"GenericList","ListTitle":"Tasks","Platform":"WinDesktop"}"#,
    ),
    template(
        56,
        4,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"SiteColumnUpdated","OrganizationId":"%o","RecordType":56,"UserKey":"S-1-0-0","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"","ObjectId":"https:\/\/%s.sharepoint.com\/sites\/operations\/%g","UserId":"app@sharepoint","CorrelationId":"%g","EventSource":"SharePoint","ItemType":"Field","Site":"%g","WebId":"%g"}"#,
    ),
];

const GENERAL: &[Template] = &[
    template(
        25,
        50,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"MemberAdded","OrganizationId":"%o","RecordType":25,"UserKey":"%h","UserType":0,"Version":1,"Workload":"MicrosoftTeams","ClientIP":"%a","UserId":"%u","CommunicationType":"Team","AADGroupId":"%g","ExtraProperties":[{"Key":"TimeZone","Value":"Europe\/Berlin"},{"Key":"OsName","Value":"windows"},{"Key":"OsVersion","Value":"10"},{"Key":"Country","Value":"de"},{"Key":"ClientName","Value":"skypeteams"},{"Key":"ClientVersion","Value":"27\/1.0.0.2023"},{"Key":"ClientUtcOffsetSeconds","Value":"3600"}],"Members":[{"DisplayName":"%N","Role":1,"UPN":"%n@%d"}],"TeamGuid":"19:%x%x@thread.tacv2","TeamName":"Sales 🚀 & Service"}"#,
    ),
    template(
        18,
        20,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"Get-DlpCompliancePolicy","OrganizationId":"%o","RecordType":18,"UserKey":"%k","UserType":0,"Version":1,"Workload":"SecurityComplianceCenter","ObjectId":"","UserId":"%u","SecurityComplianceCenterEventType":0,"ClientApplication":"","CmdletVersion":"","EffectiveOrganization":"%d","NonPIIParameters":"-Identity -DistributionDetail","Parameters":"-Identity \"%g\" -DistributionDetail \"True\"","StartTime":"%t","UserServicePlan":""}"#,
    ),
    template(
        40,
        15,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"AlertTriggered","OrganizationId":"%o","RecordType":40,"ResultStatus":"Succeeded","UserKey":"SecurityComplianceAlerts","UserType":4,"Version":1,"Workload":"SecurityComplianceCenter","ObjectId":"%g","UserId":"SecurityComplianceAlerts","AlertId":"%g","AlertLinks":[{"AlertLinkHref":""}],"AlertType":"System","Category":"ThreatManagement","Comments":"New alert","Data":"{\"etype\":\"User\",\"eid\":\"%u\",\"op\":\"MailRedirect\",\"tid\":\"%o\",\"ts\":\"%tZ\",\"te\":\"%tZ\",\"trc\":\"%u\",\"tdc\":\"1\",\"af\":\"0\",\"reid\":\"%g\",\"rid\":\"%g\",\"cid\":\"%g\",\"ad\":\"Creation of a forwarding\/redirect rule\",\"lon\":\"MailRedirect\",\"an\":\"Creation of forwarding\/redirect rule\",\"sev\":\"Low\"}","Name":"Creation of forwarding\/redirect rule","PolicyId":"%g","Severity":"Low","Source":"Office 365 Security & Compliance","Status":"Active"}"#,
    ),
    template(
        28,
        10,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"TIMailData","OrganizationId":"%o","RecordType":28,"UserKey":"ThreatIntel","UserType":4,"Version":1,"Workload":"ThreatIntelligence","ObjectId":"%g","UserId":"ThreatIntel","AdditionalActionsAndResults":["OriginalDelivery: [N\/A]"],"AuthDetails":[{"Name":"SPF","Value":"Pass"},{"Name":"DKIM","Value":"Fail"},{"Name":"DMARC","Value":"Fail"},{"Name":"Comp Auth","Value":"fail"}],"DetectionMethod":"Spoof external domain","DetectionType":"Inline","EventDeepLink":"https:\/\/security.microsoft.com\/?hash=\/threatexplorer?messageParams=%g,%g,2026-01-01T00:00:00&view=Phish","InternetMessageId":"<%x%x@mail.example>","MessageTime":"%t","NetworkMessageId":"%g","P1Sender":"bounce@mail.example","P2Sender":"ceo@mail.example","Policy":"AntiPhish","PolicyAction":"MoveToJMF","Recipients":["%u"],"SenderIp":"%a","Subject":"Payment \"overdue\" \\ final notice","Verdict":"Phish"}"#,
    ),
    template(
        900,
        5,
        r#"{"CreationTime":"%t","Id":"%i","Operation":"FutureThingHappened","OrganizationId":"%o","RecordType":900,"UserKey":"%h","UserType":11,"Version":2,"Workload":"NextWorkload","ClientIP":null,"UserId":"%u","Depth":{"a":[[],[{}],[[1.50,-0,2E3,1e-7,12345678901234567890]]]},"Text":"\u00e4\u20ac\ud83d\ude00 \/ \\\" \b\f\t","Empty":"","Nothing":null,"Odd key \"%c\"":true}"#,
    ),
];
