using Scoring.Models.Definitions.Predicates;

namespace Scoring.Models.Tests.Definitions.Predicates;

public sealed class PredicateTests
{
    private static readonly PredicateWorld Payment = new(new Dictionary<string, object?>
    {
        ["transaction_id"] = "t-1",
        ["event_time"] = 1_700_000_000_000L,
        ["amount_minor"] = 60_000L,
        ["currency"] = "EUR",
        ["account_id"] = "a-1",
        ["merchant_id"] = "Käse",
        ["channel"] = "ecommerce",
        ["merchant_category_code"] = "7995",
        ["card_present"] = false,
        ["account_created_at"] = 1_699_999_000_000L,
        ["items"] = 3L,
        ["account_count_1h"] = 7.0,
        ["amount_ratio"] = 0.1,
        ["score"] = 0.4,
    });

    [Theory]
    [InlineData("amount_minor > 50000 && channel == \"ecommerce\" && three_ds == null", true)]
    [InlineData("amount == 600", true)]
    [InlineData("channel == 'ecommerce'", true)]
    [InlineData("merchant_id == \"Käse\"", true)]
    [InlineData("merchant_id == \"Ka\u0308se\"", false)] // another spelling in bytes is another text
    [InlineData("channel != \"atm\"", true)]
    [InlineData("three_ds != \"failed\"", false)] // nothing is known of a missing value
    [InlineData("!(three_ds == \"failed\")", true)]
    [InlineData("three_ds == null || channel == null", true)]
    [InlineData("channel != null", true)]
    [InlineData("channel in [\"atm\", \"ecommerce\"]", true)]
    [InlineData("three_ds in [\"failed\"]", false)]
    [InlineData("items in [-1, 3]", true)]
    [InlineData("merchant_category_code >= \"7800\" && merchant_category_code < \"8000\"", true)]
    [InlineData("\"8000\" > merchant_category_code", true)]
    [InlineData("currency < merchant_id", true)]
    [InlineData("card_present", false)]
    [InlineData("!card_present", true)]
    [InlineData("card_present == false", true)]
    [InlineData("gift", false)]
    [InlineData("!gift", true)]
    [InlineData("gift == false", false)]
    [InlineData("gift == null", true)]
    [InlineData("event_time - account_created_at <= 1000000", true)]
    [InlineData("amount_ratio == 0.1", true)] // a float against the float nearest to 0.1
    [InlineData("amount_ratio in [0.1]", true)]
    [InlineData("account_count_1h * 2 - -1 == 15", true)]
    [InlineData("2 + 3 * items == 11", true)]
    [InlineData("(2 + 3) * items == 15", true)]
    [InlineData("items / 0 == null", true)]
    [InlineData("items / 0 > 0 || items / 0 <= 0", false)]
    [InlineData("basket_weight + 1 == null", true)]
    [InlineData("basket_weight != 1", false)]
    [InlineData("score >= 0.4", true)]
    [InlineData("false || true && false", false)]
    [InlineData("true || true && false", true)]
    [InlineData("(items > 2) == (amount > 2)", true)]
    public void Says_what_an_analyst_reads(string text, bool expected) => Assert.Equal(expected, Payment.Evaluate(text));

    [Theory]
    [InlineData("chanel == \"atm\"", "at 0: there is no field or feature chanel; did you mean channel?")]
    [InlineData("amount > 10 && channel == moto", "at 26: there is no field or feature moto; put a text into quotes: \"moto\", or use one of the definition's fields and features")]
    [InlineData("channel > 3", "at 8: channel is a text and 3 is a number: they cannot be compared; compare it with a text in quotes")]
    [InlineData("amount_minor == \"5\"", "at 13: amount_minor is a number and \"5\" is a text: they cannot be compared; compare it with a number")]
    [InlineData("card_present > true", "at 13: > has no meaning for true and false; use ==, != or the condition itself")]
    [InlineData("amount > null", "at 7: > has no meaning for null; use == null or != null")]
    [InlineData("amount", "at 0: amount is no condition; compare it with something, as in amount > 100 or channel == \"atm\"")]
    [InlineData("amount && true", "at 0: amount is no condition; compare it with something, as in amount > 100 or channel == \"atm\"")]
    [InlineData("amount = 3", "at 7: = is no operator; compare with ==")]
    [InlineData("amount > 3 & items > 1", "at 11: & is no operator; join conditions with &&")]
    [InlineData("amount > 3 and items > 1", "at 11: and is not expected here; write && for and, || for or, ! for not")]
    [InlineData("1 < items < 3", "at 10: < is not expected here; comparisons do not chain: join two with &&")]
    [InlineData("(amount > 3", "at 11: the parenthesis at 0 is not closed before the end; close it with )")]
    [InlineData("amount > 3)", "at 10: ) is not expected here; remove it or open a parenthesis before")]
    [InlineData("amount >", "at 8: the predicate ends where a value is expected; write a field, a feature, a number, a text in quotes, true, false or null")]
    [InlineData("", "at 0: the predicate ends where a value is expected; write a field, a feature, a number, a text in quotes, true, false or null")]
    [InlineData("channel == \"atm", "at 11: the text has no end; close it with \"")]
    [InlineData("channel == \"\"", "at 11: a value is never an empty text; write null for a field that is missing")]
    [InlineData("channel == \"a\\n\"", "at 13: \\n is no escape; in a text write \\\\ for a backslash and \\\" for a quote")]
    [InlineData("channel in []", "at 12: ] stands where a value is expected; write a field, a feature, a number, a text in quotes, true, false or null")]
    [InlineData("channel in [1]", "at 12: channel is a text, but the list holds 1; list texts in quotes")]
    [InlineData("channel + 1 > 2", "at 0: + needs numbers, but channel is none; use numbers and fields that hold numbers")]
    [InlineData("amount > 1e999", "at 9: 1e999 is too large for a number; use a number below 1.8e308")]
    [InlineData("amount > 3x", "at 9: 3x is neither a number nor a known name; write numbers as 50000, 0.25 or 1e6")]
    [InlineData("1 < 2", "at 2: both sides are constants; compare a field or a feature; a text in quotes is no field")]
    [InlineData("true == null", "at 0: true is never compared with null; compare a field or a feature with null")]
    [InlineData("amount ; 3", "at 7: the character ; has no meaning here; put texts into quotes; operators are || && ! == != < <= > >= + - * / in")]
    public void Tells_what_is_wrong_where_and_the_fix(string text, string expected)
    {
        var reading = Predicate.Parse(text, PredicateWorld.Scope);
        Assert.Null(reading.Predicate);
        Assert.Equal(expected, Assert.Single(reading.Faults).ToString());
    }

    [Fact]
    public void Tells_all_faults_of_names_and_types_at_once()
    {
        var reading = Predicate.Parse("chanel == \"atm\" && channel > 3 || itms > 2", PredicateWorld.Scope);
        Assert.Equal([0, 27, 34], reading.Faults.Select(fault => fault.Position));
    }

    [Fact]
    public void Bounds_length_and_depth_instead_of_the_stack()
    {
        Assert.Single(Predicate.Parse(new string('(', 100) + "card_present", PredicateWorld.Scope).Faults);
        Assert.Single(Predicate.Parse(new string('!', 4000) + "gift", PredicateWorld.Scope).Faults);
        Assert.Single(Predicate.Parse(new string(' ', Predicate.TextLengthMax + 1), PredicateWorld.Scope).Faults);

        string deepest = string.Concat(Enumerable.Repeat("items < 1 + 1 * (", 1)) + string.Concat(Enumerable.Repeat("1 + 1 * (", 15)) + "items" + new string(')', 16);
        Assert.True(Payment.Evaluate(deepest));
        string longest = string.Join(" || ", Enumerable.Repeat("gift", Predicate.TextLengthMax / 8));
        Assert.False(Payment.Evaluate(longest));
    }

    [Fact]
    public void A_where_may_use_the_window_and_a_rule_may_not()
    {
        var scope = PredicateScope.ForWhere(PredicateWorld.Schema);
        var reading = Predicate.Parse("amount > 3 * median && count >= 5", scope);
        Assert.NotNull(reading.Predicate);
        Assert.Equal(["amount", "count", "median"], reading.Predicate.Names);
        Assert.Single(Predicate.Parse("amount > 3 * median", PredicateWorld.Scope).Faults);
        Assert.Single(Predicate.Parse("score > 0.5", scope).Faults);
    }

    [Fact]
    public void Evaluation_allocates_nothing()
    {
        var predicate = Predicate.Parse(
            "amount_minor > 50000 && channel in [\"atm\", \"ecommerce\"] && three_ds == null && amount_ratio * 2 < score", PredicateWorld.Scope).Predicate!;
        bool held = Payment.Evaluate(predicate);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            held &= Payment.Evaluate(predicate);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(held);
    }
}
