namespace Scoring.Models.Events.Files;

/// <summary>Objects one after the other, or in one list: cut where braces and brackets are even again, outside of texts.</summary>
internal sealed class ObjectRecords : RecordReader
{
    private bool isInList;
    private bool isBegun;

    protected override bool Next(ByteSource source)
    {
        if (!SkipTo(source))
        {
            return false;
        }

        Begin();
        int depth = 0;
        bool isText = false;
        bool isEscaped = false;
        for (int at = 0; at < source.Span.Length || source.More(); at++)
        {
            byte b = source.Span[at];
            if (isText)
            {
                isText = b != '"' || isEscaped;
                isEscaped = b == '\\' && !isEscaped;
                continue;
            }

            isText = b == '"';
            depth += b is (byte)'{' or (byte)'[' ? 1 : b is (byte)'}' or (byte)']' ? -1 : 0;
            bool isEnd = b == '\n' && source.Span[0] != '{';
            if ((depth == 0 && b == '}') || depth < 0 || isEnd)
            {
                Json = source.Memory(0, depth < 0 ? at : at + 1);
                Take(source, depth < 0 ? at : at + 1);
                return true;
            }
        }

        // Cut short, or no object: the decoder says what is wrong with it.
        Json = source.Memory(0, source.Span.Length);
        Take(source, source.Span.Length);
        return true;
    }

    // Over white space, and the list's bracket and commas.
    private bool SkipTo(ByteSource source)
    {
        while (source.Span.Length > 0 || source.More())
        {
            byte b = source.Span[0];
            bool opensList = b == '[' && !isBegun;
            isInList |= opensList;
            if (b > ' ' && !opensList && !(isInList && b is (byte)',' or (byte)']'))
            {
                isBegun = true;
                return true;
            }

            isBegun |= opensList;
            Take(source, 1);
        }

        return false;
    }
}
