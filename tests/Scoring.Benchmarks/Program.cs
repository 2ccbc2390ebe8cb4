using Scoring.Benchmarks;

return await Verbs.RunAsync(args);
