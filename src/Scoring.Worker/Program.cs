using Scoring.Worker.Commands;

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
