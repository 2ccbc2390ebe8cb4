using Scoring.Faults;

return await Verbs.RunAsync(args);
