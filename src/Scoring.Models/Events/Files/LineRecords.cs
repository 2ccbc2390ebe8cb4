namespace Scoring.Models.Events.Files;

/// <summary>A record per line.</summary>
internal sealed class LineRecords : RecordReader
{
    protected override bool Next(ByteSource source)
    {
        int searched = 0;
        while (true)
        {
            int found = source.Span[searched..].IndexOf((byte)'\n');
            int length = found < 0 ? source.Span.Length : searched + found;
            if (found < 0)
            {
                searched = length;
                if (source.More())
                {
                    continue;
                }

                if (length == 0)
                {
                    return false;
                }
            }

            bool isEmpty = source.Span[..length].Trim(" \t\r"u8).IsEmpty;
            Begin();
            Json = source.Memory(0, length);
            Take(source, found < 0 ? length : length + 1);
            if (!isEmpty)
            {
                return true;
            }

            searched = 0;
        }
    }
}
