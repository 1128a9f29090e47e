using System;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>Lets a DateTime parameter take a DateTimeOffset too, which PowerShell does not convert by itself.</summary>
    internal sealed class TimeTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return value is DateTimeOffset time ? time.UtcDateTime : inputData;
        }
    }
}
