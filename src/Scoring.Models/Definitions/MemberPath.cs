namespace Scoring.Models.Definitions;

/// <summary>Paths into a customer's event: member names separated by dots; <c>\.</c> is a dot inside a name.</summary>
internal static class MemberPath
{
    /// <summary>Most member names of a path: a value may be nested 16 deep.</summary>
    public const int DepthMax = 15;

    /// <summary>The member names, or null when one is empty or there are too many.</summary>
    public static IReadOnlyList<string>? Split(string path)
    {
        var names = new List<string>();
        var name = new System.Text.StringBuilder();
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] == '\\' && i + 1 < path.Length && path[i + 1] == '.')
            {
                name.Append(path[++i]);
            }
            else if (path[i] == '.')
            {
                names.Add(name.ToString());
                name.Clear();
            }
            else
            {
                name.Append(path[i]);
            }
        }

        names.Add(name.ToString());
        return names.Count <= DepthMax && names.TrueForAll(part => part.Length > 0) ? names : null;
    }
}
