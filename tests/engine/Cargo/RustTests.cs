using SecureAppModel.EngineTests.Hosting;

namespace SecureAppModel.EngineTests.Cargo;

/// <summary>
/// The Rust tests, those of the C ABI among them, as cases here: one summary counts everything. They run by themselves,
/// after the parallel collections, because the compilation takes all of the machine.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class RustTests
{
    public static IEnumerable<TheoryDataRow<RustTest>> Rows() => CargoRun.All()
        .Select(test => new TheoryDataRow<RustTest>(test) { TestDisplayName = $"rust: {test.Binary}: {test.Name}" });

    [Theory]
    [MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public void A_rust_test_passes(RustTest test)
    {
        Assert.SkipWhen(test.Verdict == "ignored", test.Detail);
        Assert.True(test.Verdict == "ok", test.Detail);
    }

    [Fact]
    public void A_program_that_dies_before_its_summary_is_a_failure()
    {
        List<RustTest> read = [.. CargoRun.Read("x", (101, "running 2 tests\ntest a ... ok\n", "stack overflow"))];

        Assert.Equal(["ok", "FAILED"], read.Select(test => test.Verdict));
        Assert.Contains("stack overflow", read[1].Detail);
    }

    [Fact]
    public void A_failed_test_carries_its_own_output()
    {
        const string Output = """
            running 2 tests
            test a ... ok
            test b::c ... FAILED

            failures:

            ---- b::c stdout ----
            left: 1
            right: 2

            failures:
                b::c

            test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

            """;

        List<RustTest> read = [.. CargoRun.Read("x", (101, Output, string.Empty))];

        Assert.Equal(["ok", "FAILED"], read.Select(test => test.Verdict));
        Assert.Contains("left: 1", read[1].Detail);
        Assert.DoesNotContain("running", read[1].Detail);
    }
}
