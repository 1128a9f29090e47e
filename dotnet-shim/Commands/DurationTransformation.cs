using System;
using System.Globalization;
using System.Management.Automation;

namespace SecureAppModel.Commands
{
    /// <summary>
    /// Refuses a bare number where a time span belongs: PowerShell reads 30 as thirty ticks and '30' as thirty days, and
    /// whoever wrote it meant minutes or seconds.
    /// </summary>
    internal sealed class DurationTransformationAttribute : ArgumentTransformationAttribute
    {
        public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
        {
            object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
            return AsNumber(value) is double number && number != 0
                ? throw new ArgumentTransformationMetadataException(
                    "A bare number is no time span. Use hours:minutes:seconds, for example 00:10:00 for ten minutes.")
                : inputData;
        }

        private static double? AsNumber(object? value) => value switch
        {
            string text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null,
            IConvertible number when number.GetTypeCode() is >= TypeCode.SByte and <= TypeCode.Decimal
                => number.ToDouble(CultureInfo.InvariantCulture),
            _ => null,
        };
    }
}
