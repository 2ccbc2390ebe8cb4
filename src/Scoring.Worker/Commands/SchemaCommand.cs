using System.CommandLine;
using Scoring.Models.Events.Contracts;

namespace Scoring.Worker.Commands;

/// <summary><c>schema</c>: JSON Schemas of the contracts, written from the code that reads and writes them.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var command = new Command("schema", "Writes the JSON Schemas of events and definitions, or says where files differ from the code.");
        var directory = new Option<string>("--output", "--out") { Description = "Folder of the schema files.", DefaultValueFactory = _ => Path.Combine("docs", "contracts"), HelpName = "FOLDER" };
        var check = new Option<bool>("--check") { Description = "Write nothing; end with 65 when a file differs or is missing." };
        command.Add(directory);
        command.Add(check);
        command.SetAction(parsed =>
        {
            string folder = parsed.GetValue(directory)!;
            return parsed.GetValue(check) ? Check(folder, parsed.InvocationConfiguration.Error) : Write(folder, parsed.InvocationConfiguration.Output);
        });
        return command;
    }

    private static int Write(string folder, TextWriter output)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, json) in ContractSchemas.All)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, json);
            output.WriteLine(path);
        }

        return ExitCode.Ok;
    }

    private static int Check(string folder, TextWriter error)
    {
        int exitCode = ExitCode.Ok;
        foreach (var (name, json) in ContractSchemas.All)
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path) || !string.Equals(File.ReadAllText(path), json, StringComparison.Ordinal))
            {
                error.WriteLine($"{path}: differs from the code; write it anew with: schema --out {folder}");
                exitCode = ExitCode.Data;
            }
        }

        return exitCode;
    }
}
