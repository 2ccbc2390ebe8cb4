namespace Scoring.Models.Ensembles.Onnx;

/// <summary>The lists of a TreeEnsemble (ai.onnx.ml 5), lengths checked.</summary>
internal sealed record OnnxTreeLayout(
    long[] Features,
    long[] WhereTrue,
    long[] WhereFalse,
    long[] TrueIsLeaf,
    long[] FalseIsLeaf,
    long[] Missing,
    long[] Modes,
    float[] Splits,
    float[] Covers,
    long[] LeafTargets,
    float[] LeafWeights)
{
    /// <summary>Unrolls the trees into a node table. A branch is used at most once, so the table is at most three times the lists.</summary>
    /// <exception cref="OnnxTreeTableReader.Refusal">A child lies outside the lists, or a branch has two parents.</exception>
    internal (TreeNodes Nodes, List<(int Leaf, long Target, float Weight)> Weights) Unroll(long[] roots)
    {
        if (roots.Length > TreeStructure.TreesMax)
            throw new OnnxTreeTableReader.Refusal("tree_roots", $"{roots.Length} trees, more than {TreeStructure.TreesMax}");
        List<int> starts = [], features = [], whereTrue = [], whereFalse = [];
        List<TreeNodeMode> modes = [];
        List<float> splits = [];
        List<bool> missing = [];
        List<(int, long, float)> weights = [];
        var used = new bool[Features.Length];
        var open = new Stack<(long Index, bool IsLeaf, int Parent, bool Side)>();
        for (int tree = 0; tree < roots.Length; tree++)
        {
            starts.Add(modes.Count);
            open.Push((roots[tree], IsLeaf: false, Parent: -1, Side: false));
            while (open.TryPop(out (long Index, bool IsLeaf, int Parent, bool Side) at))
            {
                int row = modes.Count;
                if (at.Parent >= 0)
                    (at.Side ? whereTrue : whereFalse)[at.Parent] = row;
                whereTrue.Add(-1);
                whereFalse.Add(-1);
                if (at.IsLeaf)
                {
                    if (at.Index < 0 || at.Index >= LeafWeights.Length)
                        throw new OnnxTreeTableReader.Refusal($"tree {tree}", $"a branch leads to leaf {at.Index}, there are {LeafWeights.Length}");
                    Add(TreeNodeMode.Leaf, feature: 0, split: 0, missingIsTrue: false);
                    weights.Add((row, LeafTargets[at.Index], LeafWeights[at.Index]));
                    continue;
                }

                if (at.Index < 0 || at.Index >= Features.Length)
                    throw new OnnxTreeTableReader.Refusal($"tree {tree}", $"it leads to node {at.Index}, there are {Features.Length}");
                int branch = (int)at.Index;
                if (used[branch])
                    throw new OnnxTreeTableReader.Refusal($"tree {tree}, node {branch}", "two branches lead to this node, or a cycle");
                used[branch] = true;
                if (Features[branch] is < 0 or > int.MaxValue)
                    throw new OnnxTreeTableReader.Refusal($"tree {tree}, node {branch}", $"feature {Features[branch]} is tested");
                if (Modes[branch] is < 0 or > (long)TreeNodeMode.Member)
                    throw new OnnxTreeTableReader.Refusal($"tree {tree}, node {branch}", $"{Modes[branch]} is not a mode of a tree node");
                Add((TreeNodeMode)Modes[branch], (int)Features[branch], Splits[branch], Missing.Length > 0 && Missing[branch] != 0);
                open.Push((WhereTrue[branch], TrueIsLeaf[branch] != 0, row, Side: true));
                open.Push((WhereFalse[branch], FalseIsLeaf[branch] != 0, row, Side: false));
            }
        }

        int unused = Array.IndexOf(used, value: false);
        if (unused >= 0)
            throw new OnnxTreeTableReader.Refusal($"node {unused}", "no tree leads to this node");
        TreeNodes nodes = OnnxTreeTableReader.Table([.. starts], [.. modes], [.. features], [.. splits], [.. missing], [.. whereTrue], [.. whereFalse], []);
        return (nodes, weights);

        void Add(TreeNodeMode mode, int feature, float split, bool missingIsTrue)
        {
            modes.Add(mode);
            features.Add(feature);
            splits.Add(split);
            missing.Add(missingIsTrue);
        }
    }
}
