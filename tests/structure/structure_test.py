"""Each check finds what it is there to find."""

import pathlib
import tempfile
import unittest

import structure


class Tree:
    """A small repository in a temporary folder."""

    def __init__(self, files):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def check(self, function):
        with self.folder:
            return function(self.root)


class Includes(unittest.TestCase):
    def problems(self, files):
        return Tree({"src/base/text.h": "", "src/engine/engine.h": "", **files}).check(
            structure.includes)

    def test_downwards_is_fine(self):
        self.assertEqual(self.problems({"src/cli/a.cpp": '#include "engine/engine.h"\n'}), [])

    def test_upwards_fails_and_names_the_line(self):
        found = self.problems({"src/base/a.cpp": '\n#include "engine/engine.h"\n'})
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("src/base/a.cpp:2: base may not include"))

    def test_scheduler_knows_no_tensor(self):
        found = self.problems({"src/numerics/tensor/t.h": "", "src/engine/scheduler/a.cpp":
                               '#include "numerics/tensor/t.h"\n'})
        self.assertEqual(len(found), 1)

    def test_commented_out_is_no_include(self):
        self.assertEqual(self.problems({"src/base/a.cpp": '/*\n#include "engine/engine.h"\n*/\n'}), [])

    def test_path_from_src_is_required(self):
        self.assertEqual(len(self.problems({"src/base/a.cpp": '#include "text.h"\n'})), 1)

    def test_unknown_room_fails(self):
        self.assertEqual(len(self.problems({"src/attic/a.cpp": ""})), 1)

    def test_kernels_include_no_standard_library(self):
        found = self.problems({"src/numerics/kernels/avx2/a.cpp":
                               "#include <immintrin.h>\n#include <vector>\n"})
        self.assertEqual(len(found), 1)
        self.assertIn("avx2/a.cpp:2: vector", found[0])


class Links(unittest.TestCase):
    def test_upward_link_fails(self):
        tree = Tree({"CMakeLists.txt": "premise_room(base src/base LINK engine Premise::format)\n"
                                       "premise_room(engine src/engine LINK base)\n"})
        self.assertEqual(tree.check(structure.links), ["CMakeLists.txt:1: base may not link engine"])


class Definitions(unittest.TestCase):
    def problems(self, *texts):
        files = {f"src/base/{i}.h": text for i, text in enumerate(texts)}
        return Tree(files).check(structure.definitions)

    def test_two_types_of_one_name_fail(self):
        found = self.problems("namespace premise {\nstruct Span { int a; };\n}\n",
                              "namespace premise {\n\nclass Span final : public X {\n};\n}\n")
        self.assertEqual(found, ["src/base/1.h:3: premise::Span is defined in src/base/0.h too"])

    def test_members_declarations_and_what_no_other_file_sees_are_fine(self):
        self.assertEqual(self.problems(
            "namespace premise {\nstruct Span { int a; };\n}\n",
            "namespace premise {\nstruct Span;\nstruct Outer {\n  struct Span {};\n};\n}\n",
            "namespace premise {\nnamespace {\nstruct Span {};\n}  // namespace\n}\n",
            "namespace premise {\nclass Outer::Span {\n};\n}\n",
            "namespace premise::testing {\nstruct Span {};\n}\n",
            "namespace premise {\n// struct Span {\nint f() { return 0; }\n}\n"), [])


class Sizes(unittest.TestCase):
    def test_long_file_fails(self):
        tree = Tree({"src/base/a.cpp": "\n" * 801, "src/base/b.cpp": "\n" * 800})
        self.assertEqual(len(tree.check(structure.sizes)), 1)


class Phrases(unittest.TestCase):
    def problems(self, code):
        return Tree({"src/base/a.cpp": code}).check(structure.phrases)

    def test_a_pair_is_fine(self):
        self.assertEqual(self.problems('text({"{} is short",\n "{} 不完整"}, path);'), [])

    def test_missing_translation_fails(self):
        found = self.problems('\nreturn error(ErrorCode::usage, {"{} is short", "{} is short"}, p);')
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("src/base/a.cpp:2: no Chinese"))

    def test_lost_placeholder_fails(self):
        self.assertEqual(len(self.problems('text({"{} of {}", "共 {}"}, a, b);')), 1)

    def test_literals_that_are_joined_count_as_one(self):
        self.assertEqual(self.problems('text({"{} is "\n"short", "{}"\n" 不完整"}, path);'), [])

    def test_swapped_halves_fail(self):
        self.assertEqual(len(self.problems('text({"不完整", "short"});')), 1)

    def test_other_pairs_of_strings_are_left_alone(self):
        self.assertEqual(self.problems('std::array names = {"one", "two"};'), [])

    def test_quotes_in_character_literals_open_no_string(self):
        self.assertEqual(len(self.problems("c == '\"';\n" + 'text({"{} is short", "短"}, p);')), 1)

    def test_examples_may_be_commands_alone(self):
        self.assertEqual(self.problems('.examples = {"  premise list\\n", "  premise list\\n"}'), [])
        piped = '"A=b premise list\\necho 1 | premise tokenize x"'
        self.assertEqual(self.problems(f".examples = {{{piped}, {piped}}}"), [])
        prose = '"premise list\\nshows everything"'
        self.assertEqual(len(self.problems(f".examples = {{{prose}, {prose}}}")), 1)


class KernelSymbols(unittest.TestCase):
    def test_one_constant_is_fine(self):
        listing = "0000 R _ZN7premise4gemvE\n0000 t local_function\n0010 r table\n"
        self.assertEqual(structure.symbol_problems("a.o", listing), [])

    def test_weak_symbol_fails(self):
        listing = "0000 R kernel\n0000 W _ZSt3minIiE\n"
        self.assertEqual(structure.symbol_problems("a.o", listing), ["a.o:1: weak symbol _ZSt3minIiE"])

    def test_second_export_fails(self):
        self.assertEqual(len(structure.symbol_problems("a.o", "0 R kernel\n0 T helper\n")), 1)

    def test_object_that_exports_nothing_fails(self):
        self.assertEqual(len(structure.symbol_problems("a.o", "0000 t helper\n")), 1)


class KernelTiles(unittest.TestCase):
    ALL = "".join(f"  0:\t{line}\n" for line in (
        "ldtilecfg (%rax)", "tilezero %tmm0", "tileloadd (%rax,%rdx,1),%tmm4",
        "tdpbf16ps %tmm6,%tmm4,%tmm0", "tdpbf16ps %tmm7,%tmm4,%tmm1",
        "tdpbf16ps %tmm6,%tmm5,%tmm2", "tdpbf16ps %tmm7,%tmm5,%tmm3",
        "tilestored %tmm0,(%rax,%rdx,1)", "tilerelease"))

    def problems(self, listing, name="o/amx/matmul_p4.cpp.o"):
        return structure.tile_problems(name, listing)

    def test_a_kernel_with_all_of_them_is_fine(self):
        self.assertEqual(self.problems(self.ALL), [])

    def test_each_is_needed(self):
        for word in structure.TILES_NEEDED:
            kept = "".join(line for line in self.ALL.splitlines(True) if word not in line)
            self.assertTrue(self.problems(kept), word)

    def test_registers_that_do_not_belong_together_fail(self):
        self.assertEqual(len(self.problems(self.ALL.replace("%tmm7,%tmm5", "%tmm5,%tmm7"))), 1)

    def test_other_instructions_on_tiles_fail(self):
        self.assertEqual(len(self.problems(self.ALL + "  0:\ttdpbssd %tmm6,%tmm4,%tmm0\n")), 1)

    def test_tiles_elsewhere_fail(self):
        for name in ("o/avx512/matmul_p4.cpp.o", "o/amx/round.cpp.o"):
            self.assertEqual(len(self.problems("  0:\ttilerelease\n", name)), 1)
            self.assertEqual(self.problems("  0:\tvaddps %zmm0,%zmm1,%zmm2\n", name), [])


if __name__ == "__main__":
    unittest.main()
