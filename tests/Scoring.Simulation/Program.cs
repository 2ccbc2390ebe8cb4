using Scoring.Simulation;

return await Verbs.RunAsync(args);
