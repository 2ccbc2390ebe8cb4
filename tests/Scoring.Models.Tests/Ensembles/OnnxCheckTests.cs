using Scoring.Models.Ensembles.Onnx;

namespace Scoring.Models.Tests.Ensembles;

public sealed class OnnxCheckTests
{
    [Theory]
    [InlineData("chain_30000_deep", "tree 0, node", "deeper than 512")]
    [InlineData("child_negative", "tree 0, node 0", "node -1")]
    [InlineData("child_out_of_range", "tree 0, node 0", "node 99")]
    [InlineData("custom_domain", "operator set 'com.example'", "only ai.onnx and ai.onnx.ml")]
    [InlineData("cycle_to_itself", "tree 0, node 0", "a cycle")]
    [InlineData("cycle_to_parent", "tree 0, node 0", "a cycle")]
    [InlineData("duplicate_node_ids", "tree 0, node 3", "two nodes have this id")]
    [InlineData("empty_file", "byte 0", "empty")]
    [InlineData("endless_loop", "byte 33", "'body' holds a graph")]
    [InlineData("external_data_memory_address", "byte 37", "outside the file (external_data)")]
    [InlineData("external_data_path", "byte 38", "outside the file (external_data)")]
    [InlineData("feature_negative", "tree 0, node 0", "feature -1")]
    [InlineData("feature_out_of_range", "tree 0, node 0", "feature 15 is tested, the input has 15")]
    [InlineData("first_byte_flipped", "byte 0", "field 78")]
    [InlineData("graph_cycle", "node 0 (Add)", "reads 'b', which is made by itself or a later node")]
    [InlineData("huge_dims", "byte 47", "[1099511627776, 1099511627776]")]
    [InlineData("leaf_without_weight", "tree 0, node 4", "the leaf has no weight")]
    [InlineData("length_2gb", "byte 0", "says 2147483647 bytes, 100 are left")]
    [InlineData("lengths_differ", "nodes_values", "3 values where 5 are due")]
    [InlineData("negative_dims", "byte 47", "dimension of -15")]
    [InlineData("nested_lengths", "byte 2", "field 7 is not one of a GraphProto")]
    [InlineData("no_trees", "nodes_treeids", "no trees")]
    [InlineData("opset_999", "operator set 'ai.onnx.ml'", "version 999")]
    [InlineData("png", "byte 0", "not one of a ModelProto")]
    [InlineData("shape_mismatch", "node 0 (MatMul)", "has 15 columns, the matrix 'w' takes 14")]
    [InlineData("string_output", "node 0 (Cast)", "casts to type 8")]
    [InlineData("target_out_of_range", "weight 1", "target 7, the ensemble has 1")]
    [InlineData("text", "byte 0", "not an ONNX file")]
    [InlineData("threshold_nan", "tree 0, node 0", "threshold is NaN")]
    [InlineData("truncated", "byte 35", "says 11964 bytes, 5974 are left")]
    [InlineData("two_inputs", "graph inputs", "2 inputs (x, z)")]
    [InlineData("two_parents", "tree 0, node 1", "two parents")]
    [InlineData("unknown_mode", "nodes_modes[0]", "'BRANCH_MAYBE'")]
    [InlineData("weight_infinite", "weight 0", "not a finite number")]
    [InlineData("weight_nan", "weight 0", "it is NaN")]
    [InlineData("weights_nan", "initializer 'w'", "NaN, not a finite number")]
    [InlineData("zeros", "byte 0", "field number 0")]
    public void A_hostile_file_is_refused_with_what_and_where(string name, string where, string what)
    {
        byte[] file = ForeignModels.Read($"bad/{name}.onnx");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(OnnxCheck.Check(file, out IReadOnlyList<OnnxFault> faults));
        long allocatedBytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(faults, fault => fault.Where.Contains(where, StringComparison.Ordinal) && fault.What.Contains(what, StringComparison.Ordinal));
        Assert.InRange(allocatedBytes, 0, (1 << 20) + (32L * file.Length));
    }

    [Fact]
    public void The_list_above_is_the_whole_folder() =>
        Assert.Equal(37, Directory.GetFiles(Path.Combine(ForeignModels.RequireFolder(), "bad"), "*.onnx").Length);

    [Fact]
    public void Every_sound_file_is_taken_but_the_one_with_a_scan()
    {
        List<string> refused = [];
        string[] files = [.. Directory.GetFiles(ForeignModels.RequireFolder(), "*.onnx").Order(StringComparer.Ordinal)];
        foreach (string file in files)
        {
            if (OnnxCheck.Check(File.ReadAllBytes(file), out IReadOnlyList<OnnxFault> faults) is null)
                refused.Add($"{Path.GetFileNameWithoutExtension(file)}: {faults[0]}");
        }

        Assert.Equal(["sklearn_k_neighbours: byte 323: attribute 'body' holds a graph: operators with a body (If, Loop, Scan) are not taken"], refused);
        Assert.True(files.Length >= 39, $"{files.Length} files");
    }

    [Theory]
    [InlineData("tree_of_five_nodes.onnx", 100_000)]
    [InlineData("tree_ensemble_v5_member.onnx", 10_000)]
    [InlineData("lightgbm_stumps.onnx", 5_000)]
    [InlineData("pytorch_autoencoder.onnx", 20_000)]
    public void Damage_of_any_kind_is_a_value_never_an_exception(string name, int mutations)
    {
        byte[] sound = ForeignModels.Read(name);
        var random = new Random(20_251);
        for (int i = 0; i < mutations; i++)
        {
            byte[] damaged = Damage(sound, random);
            if (OnnxCheck.Check(damaged, out IReadOnlyList<OnnxFault> faults) is { } taken)
            {
                OnnxTrees.Read(taken.Model);
                Assert.Empty(faults);
            }
            else
            {
                Assert.NotEmpty(faults);
                Assert.All(faults, fault => Assert.False(string.IsNullOrWhiteSpace(fault.Where) || string.IsNullOrWhiteSpace(fault.What)));
            }
        }
    }

    [Fact]
    public void What_is_written_reads_back_the_same()
    {
        foreach (string file in Directory.GetFiles(ForeignModels.RequireFolder(), "*.onnx").Order(StringComparer.Ordinal))
        {
            if (OnnxReader.Read(File.ReadAllBytes(file), out _) is not { } model)
                continue;
            byte[] once = OnnxWriter.Write(model);
            OnnxModel? again = OnnxReader.Read(once, out OnnxFault fault);
            Assert.True(again is not null, $"{file}: {fault}");
            Assert.Equal(once, OnnxWriter.Write(again));
            Assert.Equal(model.Graph.Nodes.Select(node => node.Operator), again.Graph.Nodes.Select(node => node.Operator), StringComparer.Ordinal);
        }
    }

    // One to four of: a flipped bit, a random byte, a cut, a doubled stretch, a hostile length.
    private static byte[] Damage(byte[] sound, Random random)
    {
        List<byte> bytes = [.. sound];
        for (int count = random.Next(1, 5); count > 0 && bytes.Count > 1; count--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, random.Next(1, Math.Min(40, bytes.Count - at) + 1));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
                default:
                    bytes.InsertRange(at, [0xFF, 0xFF, 0xFF, 0xFF, 0x07]);
                    break;
            }
        }

        return [.. bytes];
    }
}
