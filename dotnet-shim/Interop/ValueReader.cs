// Decodes the tagged values of the ABI: one tag byte, then the value, numbers little-endian. 0 null, 1 false, 2 true,
// 3 i64, 4 f64, 5 text, 6 time (milliseconds since 1970, UTC), 7 list, 8 map, 9 bytes; lengths and counts are u32.
using System;
using System.Collections.Generic;
using System.IO;

namespace SecureAppModel.Interop
{
    internal sealed class ValueReader
    {
        /// <summary>Deeper than anything that is sent (JSON is read to 128 levels); a guard against damaged bytes.</summary>
        private const int DeepestNesting = 144;

        private static readonly DateTimeOffset s_epoch = new DateTimeOffset(1970, 1, 1, 0, 0, 0, TimeSpan.Zero);

        private readonly byte[] _bytes;
        private int _position;

        private ValueReader(byte[] bytes)
        {
            _bytes = bytes;
        }

        /// <summary>
        /// Null, bool, long, double, string, DateTimeOffset, list of those, <see cref="ValueMap"/> or byte[].
        /// </summary>
        internal static object? Read(byte[] bytes)
        {
            ValueReader reader = new ValueReader(bytes);
            object? value = reader.Value(0);
            if (reader._position != bytes.Length)
            {
                throw Damaged("bytes follow the value");
            }

            return value;
        }

        /// <summary>Reads bytes that a native handle owns and clears the copy, which may hold a token.</summary>
        internal static object? Read(IntPtr data, UIntPtr length)
        {
            byte[] bytes = Utf8.Copy(data, length);
            try
            {
                return Read(bytes);
            }
            finally
            {
                Array.Clear(bytes, 0, bytes.Length);
            }
        }

        private object? Value(int depth)
        {
            if (depth > DeepestNesting)
            {
                throw Damaged("it is nested too deeply");
            }

            byte tag = _bytes[Take(1)];
            switch (tag)
            {
                case 0: return null;
                case 1: return false;
                case 2: return true;
                case 3: return Int64();
                case 4: return BitConverter.Int64BitsToDouble(Int64());
                case 5: return Text();
                case 6: return s_epoch.AddMilliseconds(Int64());
                case 7: return List(depth);
                case 8: return Map(depth);
                case 9: return Blob();
                default: throw Damaged("tag " + tag + " is unknown");
            }
        }

        private List<object?> List(int depth)
        {
            int count = Length();
            List<object?> values = new List<object?>(Math.Min(count, _bytes.Length - _position));
            for (int i = 0; i < count; i++)
            {
                values.Add(Value(depth + 1));
            }

            return values;
        }

        private ValueMap Map(int depth)
        {
            int count = Length();
            ValueMap map = new ValueMap(Math.Min(count, _bytes.Length - _position));
            for (int i = 0; i < count; i++)
            {
                string key = Text();
                map.Add(key, Value(depth + 1));
            }

            return map;
        }

        private string Text()
        {
            int length = Length();
            return Utf8.Text(_bytes, Take(length), length);
        }

        private byte[] Blob()
        {
            int length = Length();
            byte[] blob = new byte[length];
            Array.Copy(_bytes, Take(length), blob, 0, length);
            return blob;
        }

        private int Length()
        {
            int at = Take(4);
            uint length = _bytes[at] | ((uint)_bytes[at + 1] << 8) | ((uint)_bytes[at + 2] << 16) | ((uint)_bytes[at + 3] << 24);
            return length <= int.MaxValue ? (int)length : throw Damaged("a length is out of range");
        }

        private long Int64()
        {
            int at = Take(8);
            long value = 0;
            for (int i = 7; i >= 0; i--)
            {
                value = (value << 8) | _bytes[at + i];
            }

            return value;
        }

        private int Take(int count)
        {
            if (count > _bytes.Length - _position)
            {
                throw Damaged("it ends too early");
            }

            int at = _position;
            _position += count;
            return at;
        }

        private static InvalidDataException Damaged(string how) =>
            new InvalidDataException("The native library sent a value that cannot be read: " + how + ". Install the module again; if it happens again, please report it.");
    }
}
