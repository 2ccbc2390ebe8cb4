using System.Globalization;

namespace Scoring.Models.Events.Values;

/// <summary>A JSON number, exactly: <c>mantissa x 10^exponent</c>, the mantissa without trailing zeros.</summary>
internal readonly struct DecimalNumber
{
    private const int ExponentLimit = 100_000; // beyond any double; keeps the sum of exponents inside an int

    private static readonly double[] Powers = [.. Enumerable.Range(0, 23).Select(power => double.Parse($"1e{power}", CultureInfo.InvariantCulture))];

    private readonly ulong mantissa;
    private readonly int exponent;
    private readonly bool isNegative;

    private DecimalNumber(ulong mantissa, int exponent, bool isNegative)
    {
        this.mantissa = mantissa;
        this.exponent = exponent;
        this.isNegative = isNegative;
    }

    public bool IsNegative => isNegative && mantissa != 0;

    /// <summary>Reads a number that the JSON grammar allows.</summary>
    /// <returns>False when its significant digits do not fit 64 bits.</returns>
    public static bool TryParse(ReadOnlySpan<byte> text, out DecimalNumber number)
    {
        ulong digits = 0;
        int zeros = 0; // trailing so far
        int power = 0;
        bool behindPoint = false;
        number = default;
        int at = text[0] == '-' ? 1 : 0;
        for (; at < text.Length && (text[at] | 0x20) != 'e'; at++)
        {
            if (text[at] == '.')
            {
                behindPoint = true;
                continue;
            }

            power -= behindPoint ? 1 : 0;
            int digit = text[at] - '0';
            if (digit == 0)
            {
                zeros += digits == 0 ? 0 : 1;
                continue;
            }

            for (; zeros >= 0; zeros--)
            {
                if (digits > ulong.MaxValue / 10)
                {
                    return false;
                }

                digits *= 10;
            }

            zeros = 0;
            if (digits > ulong.MaxValue - (uint)digit)
            {
                return false;
            }

            digits += (uint)digit;
        }

        if (at < text.Length)
        {
            power += ParseExponent(text[(at + 1)..]);
        }

        number = digits == 0 ? default : new DecimalNumber(digits, power + zeros, text[0] == '-');
        return true;
    }

    /// <summary>The number times 10^<paramref name="digits"/>.</summary>
    /// <param name="digits">-9 to 9.</param>
    /// <param name="scaled">The integer part of the product, towards minus infinity.</param>
    /// <param name="isExact">Whether nothing was cut off.</param>
    /// <returns>False when it does not fit.</returns>
    public bool TryScale(int digits, out long scaled, out bool isExact)
    {
        int power = exponent + digits;
        scaled = 0;
        isExact = power >= 0 || mantissa == 0;
        UInt128 value = mantissa;
        for (; power > 0 && value != 0; power--)
        {
            value *= 10;
            if (value > long.MaxValue)
            {
                return false;
            }
        }

        for (; power < 0 && value != 0; power++)
        {
            value /= 10;
        }

        if (isNegative && !isExact)
        {
            value++;
        }

        if (value > long.MaxValue)
        {
            return false;
        }

        scaled = isNegative ? -(long)value : (long)value;
        return true;
    }

    /// <summary>The nearest double of a JSON number.</summary>
    /// <returns>False when there is no finite one.</returns>
    public static bool TryParseDouble(ReadOnlySpan<byte> text, out double value)
    {
        // A mantissa below 2^53 and a power of ten up to 10^22 are exact doubles, so one operation rounds correctly (Clinger 1990).
        if (TryParse(text, out var number) && number.mantissa < 1UL << 53 && number.exponent is >= -22 and <= 22)
        {
            value = number.exponent < 0 ? number.mantissa / Powers[-number.exponent] : number.mantissa * Powers[number.exponent];
            value = text[0] == '-' ? -value : value;
            return true;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    private static int ParseExponent(ReadOnlySpan<byte> text)
    {
        bool isBelowOne = text[0] == '-';
        int value = 0;
        foreach (byte b in text[(text[0] is (byte)'-' or (byte)'+' ? 1 : 0)..])
        {
            value = Math.Min((value * 10) + b - '0', ExponentLimit);
        }

        return isBelowOne ? -value : value;
    }
}
