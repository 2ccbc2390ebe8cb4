namespace Scoring.Models.Definitions;

/// <summary>Reads and checks definition files.</summary>
public static class ServiceDefinitionReader
{
}
