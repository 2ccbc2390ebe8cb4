Console.WriteLine("FraudScoring");
