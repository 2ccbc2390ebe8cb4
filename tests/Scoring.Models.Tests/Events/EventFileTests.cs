using System.IO.Compression;
using System.Text;
using Scoring.Models.Events.Files;

namespace Scoring.Models.Tests.Events;

public sealed class EventFileTests
{
    [Theory]
    [InlineData("a.csv", "id,name,x\r\n1,\"a, \"\"b\"\"\nc\",0.5\r\n\r\n02,,true\r\n", "2:{\"id\":1,\"name\":\"a, \\u0022b\\u0022\\u000ac\",\"x\":0.5}|5:{\"id\":\"02\",\"x\":true}")]
    [InlineData("a.csv", "\uFEFFid,n\n1e5,-", "2:{\"id\":1e5,\"n\":\"-\"}")]
    [InlineData("a.csv", "id,n\n1\n1,2,3\n\"x\"y,2\n4,5\n", "2:!has 1 cells|3:!has 3 cells|4:!cell 1|5:{\"id\":4,\"n\":5}")]
    [InlineData("a.csv", "id\n\"open", "2:!a quoted cell")]
    [InlineData("a.csv", "id\n", "")]
    [InlineData("a.csv", "", "")]
    [InlineData("a.jsonl", "{\"a\":1}\n\n {\"b\":2}\r\n{", "1:{\"a\":1}|3:{\"b\":2}|4:{")]
    [InlineData("a.json", "[\n{\"a\":\"}\\\"\"},\n {\"b\":[{}]}]\n", "2:{\"a\":\"}\\\"\"}|3:{\"b\":[{}]}")]
    [InlineData("a.json", "{\"a\":1}\n{\"b\":2}{\"c\":3}", "1:{\"a\":1}|2:{\"b\":2}|2:{\"c\":3}")]
    [InlineData("a.json", "[]", "")]
    [InlineData("a.json", "{\"a\":", "1:{\"a\":")]
    public void Records_are_read_with_their_lines(string name, string text, string expected)
    {
        Assert.Equal(expected, Read(name, Encoding.UTF8.GetBytes(text)));

        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        Assert.Equal(expected, Read(name + ".gz", compressed.ToArray()));
    }

    [Fact]
    public void Columns_can_be_forced_to_text() =>
        Assert.Equal("2:{\"id\":\"7\",\"x\":7}", Read("a.csv", "id,x\n7,7\n"u8.ToArray(), new HashSet<string>(StringComparer.Ordinal) { "id" }));

    [Fact]
    public void Other_names_are_not_supported() => Assert.Throws<NotSupportedException>(() => EventFile.Open("events.xml"));

    [Fact]
    public void A_record_longer_than_the_window_is_read_whole()
    {
        string text = new('x', 700_000);
        Assert.Equal($"1:{{\"a\":\"{text}\"}}|2:{{}}", Read("a.jsonl", Encoding.UTF8.GetBytes($"{{\"a\":\"{text}\"}}\n{{}}")));
        Assert.Equal($"2:{{\"a\":\"{text}\"}}", Read("a.csv", Encoding.UTF8.GetBytes($"a\n{text}\n")));
    }

    private static string Read(string name, byte[] bytes, IReadOnlySet<string>? textColumns = null)
    {
        string folder = Directory.CreateTempSubdirectory("fraudscoring-").FullName;
        try
        {
            string path = Path.Combine(folder, name);
            File.WriteAllBytes(path, bytes);
            using var file = EventFile.Open(path, textColumns);
            var records = new List<string>();
            while (file.Read())
            {
                string record = file.Problem is { } problem ? "!" + string.Join(' ', problem.Split(' ', ',', ':').Take(problem.StartsWith("cell", StringComparison.Ordinal) ? 2 : 3)) : Encoding.UTF8.GetString(file.Json.Span).Trim();
                records.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file.LineNumber}:{record}"));
            }

            return string.Join('|', records);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
