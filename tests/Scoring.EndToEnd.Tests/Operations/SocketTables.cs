using System.Globalization;
using System.Net;

namespace Scoring.EndToEnd.Tests.Operations;

/// <summary>Linux's tables of processes and their sockets, as <c>/proc</c> shows them.</summary>
internal static class SocketTables
{
    private const string Listening = "0A";

    /// <summary>A process and its children, their children included.</summary>
    public static IReadOnlyList<int> Family(int root)
    {
        var family = new List<int> { root };
        for (int i = 0; i < family.Count; i++)
        {
            foreach (string task in Entries($"/proc/{family[i]}/task"))
            {
                family.AddRange(Text(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture)));
            }
        }

        return family;
    }

    /// <summary>The other ends of a process's own TCP and UDP sockets, but of those that others opened to a port it listens on.</summary>
    public static IEnumerable<IPEndPoint> Remotes(int process)
    {
        var inodes = Entries($"/proc/{process}/fd")
            .Select(LinkTarget)
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(target => target[8..^1])
            .ToHashSet(StringComparer.Ordinal);
        var sockets = ((string[])["tcp", "tcp6", "udp", "udp6"])
            .SelectMany(table => Text($"/proc/{process}/net/{table}").Split('\n').Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(cells => cells.Length > 9 && inodes.Contains(cells[9]))
            .Select(cells => (Local: Parse(cells[1]), Remote: Parse(cells[2]), IsListening: string.Equals(cells[3], Listening, StringComparison.Ordinal)))
            .ToList();
        var served = sockets.Where(socket => socket.IsListening).Select(socket => socket.Local.Port).ToHashSet();
        return sockets.Where(socket => socket.Remote.Port > 0 && !served.Contains(socket.Local.Port)).Select(socket => socket.Remote);
    }

    private static IPEndPoint Parse(string cell)
    {
        // Words of 32 bits in the machine's own order, then the port.
        string[] parts = cell.Split(':');
        byte[] bytes = Convert.FromHexString(parts[0]);
        for (int word = 0; word < bytes.Length; word += 4)
        {
            Array.Reverse(bytes, word, 4);
        }

        return new IPEndPoint(new IPAddress(bytes), int.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
    }

    // A process may end while it is looked at.
    private static string Text(string path) => Unless(() => File.ReadAllText(path), "");

    private static string LinkTarget(string path) => Unless(() => new FileInfo(path).LinkTarget ?? "", "");

    private static string[] Entries(string path) => Unless(() => Directory.GetFileSystemEntries(path), []);

    private static T Unless<T>(Func<T> look, T otherwise)
    {
        try
        {
            return look();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return otherwise;
        }
    }
}
