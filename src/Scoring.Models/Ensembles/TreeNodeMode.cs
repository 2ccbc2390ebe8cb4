namespace Scoring.Models.Ensembles;

/// <summary>The test of a node. The numbers are those of <c>nodes_modes</c> in ai.onnx.ml 5.</summary>
public enum TreeNodeMode : byte
{
    /// <summary>True branch where x &lt;= threshold (BRANCH_LEQ).</summary>
    AtMost = 0,

    /// <summary>True branch where x &lt; threshold (BRANCH_LT).</summary>
    Below = 1,

    /// <summary>True branch where x &gt;= threshold (BRANCH_GTE).</summary>
    AtLeast = 2,

    /// <summary>True branch where x &gt; threshold (BRANCH_GT).</summary>
    Above = 3,

    /// <summary>True branch where x == threshold (BRANCH_EQ).</summary>
    Equal = 4,

    /// <summary>True branch where x != threshold, NaN included (BRANCH_NEQ).</summary>
    NotEqual = 5,

    /// <summary>True branch where x is in a set (BRANCH_MEMBER): read, not compiled.</summary>
    Member = 6,

    /// <summary>No test: the node holds a weight.</summary>
    Leaf = 7,
}
