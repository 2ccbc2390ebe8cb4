using System.Buffers;

namespace Scoring.Models.Events.Values;

/// <summary>Checks texts against their field's format and brings codes into their one written form.</summary>
internal static class TextFormats
{
    private static readonly SearchValues<byte> CategoryBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_"u8);
    private static readonly SearchValues<byte> ControlBytes = SearchValues.Create([.. Enumerable.Range(0, 0x20).Append(0x7F).Select(b => (byte)b)]);
    private static readonly SearchValues<byte> Ipv6Bytes = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    /// <summary>Checks one value, without looking for card numbers.</summary>
    /// <param name="format">What it must look like.</param>
    /// <param name="lengthMax">Most bytes.</param>
    /// <param name="value">UTF-8, escapes resolved.</param>
    /// <param name="taken">What goes into the column: <paramref name="value"/>, or the code it means.</param>
    public static RefusalCode Check(FieldFormat format, int lengthMax, ReadOnlySpan<byte> value, out ReadOnlySpan<byte> taken)
    {
        taken = value;
        if (value.IsEmpty)
        {
            return RefusalCode.BadLength;
        }

        switch (format)
        {
            case FieldFormat.Currency:
                return Currencies.TryFind(value, out taken) ? RefusalCode.None : RefusalCode.UnknownCurrency;
            case FieldFormat.Country:
                return Countries.TryFind(value, out taken) ? RefusalCode.None : RefusalCode.UnknownCountry;
        }

        if (value.Length > lengthMax)
        {
            return RefusalCode.BadLength;
        }

        bool good = format switch
        {
            FieldFormat.Token => !value.ContainsAny(ControlBytes),
            FieldFormat.Category => !value.ContainsAnyExcept(CategoryBytes),
            FieldFormat.Digits => !value.ContainsAnyExceptInRange((byte)'0', (byte)'9'),
            FieldFormat.MerchantCategory => value.Length == 4 && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9'),
            FieldFormat.IpAddress => IsIpAddress(value),
            _ => true,
        };
        return good ? RefusalCode.None : RefusalCode.BadFormat;
    }

    private static bool IsIpAddress(ReadOnlySpan<byte> value) =>
        value.Contains((byte)':')
            ? !value.ContainsAnyExcept(Ipv6Bytes) && System.Net.IPAddress.IsValidUtf8(value)
            : IsIpv4(value);

    // Four decimal numbers; the one-number, octal and hexadecimal forms of inet_aton are no addresses here.
    private static bool IsIpv4(ReadOnlySpan<byte> value)
    {
        int parts = 0;
        int number = 0;
        int digits = 0;
        foreach (byte b in value)
        {
            if (b == '.')
            {
                if (digits == 0)
                {
                    return false;
                }

                parts++;
                (number, digits) = (0, 0);
            }
            else if ((uint)(b - '0') <= 9 && digits < 3 && !(digits > 0 && number == 0))
            {
                number = (number * 10) + b - '0';
                digits++;
                if (number > 255)
                {
                    return false;
                }
            }
            else
            {
                return false;
            }
        }

        return parts == 3 && digits > 0;
    }
}
