namespace SecureAppModel.Interop
{
    /// <summary>What a native call answers; the numbers are those of secureapp.h and never change.</summary>
    internal enum NativeStatus
    {
        Ok = 0,
        Done = 1,
        TimedOut = 2,
        WouldBlock = 3,
        InvalidInput = -1,
        NotSignedIn = -2,
        Denied = -3,
        NotFound = -4,
        Throttled = -5,
        Network = -6,
        Timeout = -7,
        Server = -8,
        Protocol = -9,
        Storage = -10,
        Cancelled = -11,
        Internal = -12,
    }

    /// <summary>What kind of event <c>sa_op_next</c> hands over.</summary>
    internal enum NativeEventKind : uint
    {
        Record = 1,
        Failed = 2,
        Warning = 3,
        Verbose = 4,
        Debug = 5,
        Progress = 6,
        Prompt = 7,
    }
}
