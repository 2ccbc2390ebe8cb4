Console.WriteLine("FraudScoring benchmarks");
