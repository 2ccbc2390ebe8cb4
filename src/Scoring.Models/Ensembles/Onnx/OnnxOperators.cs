using System.Collections.Frozen;

namespace Scoring.Models.Ensembles.Onnx;

/// <summary>The operators that a model may be made of, and the versions of their sets.</summary>
/// <remarks>
/// What the exporters of LightGBM, XGBoost, CatBoost, scikit-learn and PyTorch write for tabular and sequence models. Nothing that
/// runs a body (If, Loop, Scan), reads outside (external tensors, custom domains), draws random numbers or handles text.
/// </remarks>
internal static class OnnxOperators
{
    internal const string MachineLearning = "ai.onnx.ml";

    internal const long CoreVersionMax = 23;

    internal const long MachineLearningVersionMax = 5;

    private static readonly FrozenSet<string> Core = FrozenSet.Create(StringComparer.Ordinal,
        "Abs", "Add", "And", "ArgMax", "ArgMin", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape",
        "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Elu", "Equal", "Erf", "Exp", "Flatten", "GRU", "Gather",
        "Gelu", "Gemm", "Greater", "GreaterOrEqual", "Identity", "LSTM", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual",
        "Log", "LogSoftmax", "MatMul", "MatMulInteger", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pow", "QuantizeLinear",
        "Reciprocal", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu", "Reshape", "Selu", "Shape",
        "Sigmoid", "Softmax", "Softplus", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "TopK", "Transpose", "Unsqueeze", "Where");

    private static readonly FrozenSet<string> Ml = FrozenSet.Create(StringComparer.Ordinal,
        "ArrayFeatureExtractor", "Imputer", "LabelEncoder", "LinearClassifier", "LinearRegressor", "Normalizer", "SVMClassifier",
        "SVMRegressor", "Scaler", "TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor", "ZipMap");

    internal static bool Allows(string domain, string name) => domain switch
    {
        "" => Core.Contains(name),
        MachineLearning => Ml.Contains(name),
        _ => false,
    };

    /// <summary>Operators of one input whose output has as many columns, row by row.</summary>
    internal static bool KeepsColumns(string name) => name is
        "Identity" or "Relu" or "Sigmoid" or "Tanh" or "Erf" or "Exp" or "Log" or "Sqrt" or "Neg" or "Abs" or "Softmax" or "LogSoftmax"
        or "LayerNormalization" or "LeakyRelu" or "Elu" or "Selu" or "Gelu" or "Softplus" or "Clip" or "Dropout" or "Cast" or "Scaler"
        or "Imputer" or "BatchNormalization" or "DequantizeLinear" or "QuantizeLinear" or "Reciprocal";

    /// <summary>Operators of two inputs that are stretched to one another, column by column.</summary>
    internal static bool Stretches(string name) => name is "Add" or "Sub" or "Mul" or "Div" or "Pow";
}
