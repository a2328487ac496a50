// The diagnoses of Python frameworks, each with a machine that has the trouble and one without.
#include <gmock/gmock.h>

#include "machine/facts/python_site.h"
#include "machine/gpu/gpu_machine_testing.h"

namespace premise {

extern const Probe python_packages, python_pytorch, python_tensorflow;

namespace {

using ::testing::HasSubstr;
constexpr const char* site = "/opt/env/lib/python3.12/site-packages";

const std::vector<std::string> ask_site = {
    "python3", "-c", "import sys; print(sys.version.split()[0], *sys.path, sep='\\n')"};
const std::vector<std::string> ask_torch = {
    "python3", "-c", "import torch; print('architectures', *torch.cuda.get_arch_list())"};
const std::vector<std::string> ask_pip = {"python3", "-m", "pip", "check"};

void add_python(GpuMachine& machine, std::vector<std::string> packages) {
  machine.says(ask_site, std::string("3.12.3\n\n/usr/lib/python312.zip\n") + site + "\n");
  machine.folders[site] = std::move(packages);
  machine.says(ask_pip, "No broken requirements found.\n");
}

GpuMachine with_torch(const std::string& version, const std::string& cuda, NvmlGpu card) {
  GpuMachine machine = machine_with({std::move(card)});
  add_python(machine, {"torch", "torch-" + version + ".dist-info"});
  machine.files[std::string(site) + "/torch/version.py"] = "__version__ = '" + version +
                                                           "'\ncuda: Optional[str] = " + cuda +
                                                           "\nhip: Optional[str] = None\n";
  return machine;
}

Finding torch_finding(GpuMachine& machine) {
  return finding_of(python_pytorch, machine, "python.pytorch");
}

TEST(PythonSite, reads_names_and_versions_of_packages_and_leaves_folders_alone) {
  GpuMachine machine;
  add_python(machine, {"numpy", "numpy-2.1.0.dist-info", "Tensorflow_GPU-2.10.0.dist-info",
                       "six-1.16.0-py3.9.egg-info", "README.txt", ".dist-info", "-1.dist-info"});
  const PythonSite found = read_python_site(machine);
  EXPECT_EQ(found.version, "3.12.3");
  EXPECT_EQ(found.packages.size(), 3U);
  EXPECT_EQ(found.find("tensorflow-gpu")->version, "2.10.0");
  EXPECT_EQ(found.find("six")->version, "1.16.0");
  EXPECT_EQ(found.find("numpy")->folder, site);
}

TEST(PythonSite, an_assignment_is_read_with_and_without_a_type) {
  EXPECT_EQ(python_assignment("cuda: Optional[str] = '12.8'\n", "cuda"), "12.8");
  EXPECT_EQ(python_assignment("x = 1\ncuda = \"11.7\"\n", "cuda"), "11.7");
  EXPECT_EQ(python_assignment("cuda: Optional[str] = None\n", "cuda"), std::nullopt);
  EXPECT_EQ(python_assignment("cuda_arch = '8'\n", "cuda"), std::nullopt);
  EXPECT_EQ(python_assignment("cuda", "cuda"), std::nullopt);
}

TEST(PythonPackages, no_python_is_worth_knowing_and_a_hanging_one_a_warning) {
  GpuMachine machine;
  EXPECT_EQ(finding_of(python_packages, machine, "python.interpreter").status, FindingStatus::info);
  machine.hangs(ask_site);
  EXPECT_EQ(finding_of(python_packages, machine, "python.interpreter").status,
            FindingStatus::warning);
}

TEST(PythonPackages, a_withdrawn_package_is_named_with_its_successor) {
  GpuMachine machine;
  add_python(machine, {"tensorflow-2.16.1.dist-info"});
  EXPECT_EQ(finding_of(python_packages, machine, "python.withdrawn").status, ok_status);
  add_python(machine, {"tensorflow_gpu-2.10.0.dist-info"});
  const Finding finding = finding_of(python_packages, machine, "python.withdrawn");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.fix.en, HasSubstr("tensorflow[and-cuda]"));
}

TEST(PythonPackages, conflicts_of_pip_check_are_counted_and_the_first_is_shown) {
  GpuMachine machine;
  add_python(machine, {});
  EXPECT_EQ(finding_of(python_packages, machine, "python.pip_check").status, ok_status);
  machine.says(ask_pip,
               "torchvision 0.15.2 requires torch==2.0.1, but you have torch 2.1.0.\n"
               "a 1.0 requires b, which is not installed.\n",
               1);
  const Finding finding = finding_of(python_packages, machine, "python.pip_check");
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_EQ(finding.value, FindingValue(std::int64_t{2}));
  EXPECT_THAT(finding.why.en, HasSubstr("torch==2.0.1"));
}

TEST(PythonPackages, a_python_without_pip_or_a_slow_one_is_no_conflict) {
  GpuMachine machine;
  add_python(machine, {});
  machine.says(ask_pip, "", 1, "/usr/bin/python3: No module named pip\n");
  EXPECT_EQ(finding_of(python_packages, machine, "python.pip_check").status, FindingStatus::info);
  machine.hangs(ask_pip);
  EXPECT_EQ(finding_of(python_packages, machine, "python.pip_check").status, FindingStatus::info);
}

TEST(PyTorch, with_kernels_for_the_card_is_fine) {
  GpuMachine machine = with_torch("2.9.1+cu128", "'12.8'", healthy_card());
  machine.says(ask_torch, "architectures sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120\n");
  EXPECT_EQ(torch_finding(machine).status, ok_status);
}

TEST(PyTorch, without_kernels_for_the_card_ends_with_no_kernel_image) {
  GpuMachine machine =
      with_torch("2.6.0+cu124", "'12.4'", healthy_card("NVIDIA GeForce RTX 5090", {12, 0, 0}));
  machine.says(ask_torch, "architectures sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90\n");
  const Finding finding = torch_finding(machine);
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.why.en,
              HasSubstr("no kernel image is available for execution on the device"));
  EXPECT_THAT(finding.fix.en, HasSubstr("torch=="));
}

TEST(PyTorch, whose_import_takes_too_long_is_judged_by_the_table) {
  GpuMachine fits = with_torch("2.9.1+cu128", "'12.8'", healthy_card());
  fits.hangs(ask_torch);
  EXPECT_EQ(torch_finding(fits).status, FindingStatus::info);
  GpuMachine lacks =
      with_torch("2.6.0+cu124", "'12.4'", healthy_card("NVIDIA GeForce RTX 5090", {12, 0, 0}));
  lacks.hangs(ask_torch);
  EXPECT_EQ(torch_finding(lacks).status, FindingStatus::failure);
}

TEST(PyTorch, of_a_newer_cuda_than_the_driver_ends_with_an_insufficient_driver) {
  GpuMachine machine = with_torch("2.11.0+cu130", "'13.0'", healthy_card());
  machine.nvml->driver_version = "535.104.05";
  machine.nvml->cuda_version = Version{12, 2, 0};
  const Finding finding = torch_finding(machine);
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.why.en,
              HasSubstr("CUDA driver version is insufficient for CUDA runtime version"));
  EXPECT_THAT(finding.fix.en, HasSubstr("580.65.06"));
  EXPECT_THAT(finding.fix.en, HasSubstr("torch==2.10"));
}

TEST(PyTorch, of_a_newer_minor_cuda_runs_by_minor_version_compatibility) {
  GpuMachine machine = with_torch("2.9.1+cu128", "'12.8'", healthy_card());
  machine.nvml->driver_version = "535.104.05";
  machine.says(ask_torch, "architectures sm_80 sm_86\n");
  EXPECT_EQ(torch_finding(machine).status, ok_status);
}

TEST(PyTorch, for_the_processor_is_a_warning_only_where_there_is_a_gpu) {
  GpuMachine machine = with_torch("2.9.1+cpu", "None", healthy_card());
  EXPECT_THAT(torch_finding(machine).why.en, HasSubstr("Torch not compiled with CUDA enabled"));
  EXPECT_EQ(torch_finding(machine).status, FindingStatus::warning);
  GpuMachine bare;
  add_python(bare, {"torch-2.9.1+cpu.dist-info"});
  EXPECT_EQ(torch_finding(bare).status, ok_status);
}

TEST(PyTorch, that_lacks_a_shared_library_is_a_failure_in_its_own_words) {
  GpuMachine machine = with_torch("2.1.2+cu121", "'12.1'", healthy_card());
  machine.says(ask_torch, "", 1,
               "Traceback (most recent call last):\nImportError: libcudart.so.12: cannot open "
               "shared object file: No such file or directory\n");
  const Finding finding = torch_finding(machine);
  EXPECT_EQ(finding.status, FindingStatus::failure);
  EXPECT_THAT(finding.why.en, HasSubstr("libcudart.so.12: cannot open shared object file"));
  EXPECT_THAT(finding.fix.en, HasSubstr("--force-reinstall"));
}

TEST(PyTorch, for_cuda_on_a_machine_without_gpu_is_worth_knowing) {
  GpuMachine machine = with_torch("2.9.1+cu128", "'12.8'", healthy_card());
  machine.nvml.reset();
  machine.folders.erase("/sys/bus/pci/devices");
  EXPECT_EQ(torch_finding(machine).status, FindingStatus::info);
}

GpuMachine with_tensorflow(const std::string& version, const std::string& build_info) {
  GpuMachine machine = machine_with({healthy_card()});
  add_python(machine, {"tensorflow-" + version + ".dist-info"});
  if (!build_info.empty()) {
    machine.files[std::string(site) + "/tensorflow/python/platform/build_info.py"] = build_info;
  }
  return machine;
}

Finding tensorflow_finding(GpuMachine& machine) {
  return finding_of(python_tensorflow, machine, "python.tensorflow");
}

TEST(TensorFlow, without_the_cudnn_that_it_was_built_with_computes_on_the_processor) {
  GpuMachine machine = with_tensorflow("2.10.0", "{'cuda_version': '11.2', 'cudnn_version': '8'}");
  machine.says({"ldconfig", "-p"}, "\tlibcuda.so.1 => /lib/libcuda.so.1\n");
  const Finding finding = tensorflow_finding(machine);
  EXPECT_EQ(finding.status, FindingStatus::warning);
  EXPECT_THAT(finding.why.en, HasSubstr("libcudnn.so.8"));
  EXPECT_THAT(finding.why.en, HasSubstr("CUDA 11.2"));
  machine.says({"ldconfig", "-p"}, "\tlibcudnn.so.8 => /lib/libcudnn.so.8\n");
  EXPECT_EQ(tensorflow_finding(machine).status, ok_status);
}

TEST(TensorFlow, finds_cudnn_among_the_packages_of_its_python) {
  GpuMachine machine =
      with_tensorflow("2.18.0", "{\"cuda_version\": \"12.5.1\", \"cudnn_version\": \"9\"}");
  EXPECT_EQ(tensorflow_finding(machine).status, FindingStatus::warning);
  machine.folders[site].push_back("nvidia_cudnn_cu12-9.3.0.75.dist-info");
  EXPECT_EQ(tensorflow_finding(machine).status, ok_status);
}

TEST(TensorFlow, whose_build_cannot_be_read_is_judged_by_the_table) {
  GpuMachine machine = with_tensorflow("2.10.0", "");
  EXPECT_THAT(tensorflow_finding(machine).why.en, HasSubstr("CUDA 11.2"));
}

TEST(TensorFlow, built_without_cuda_does_not_use_the_gpu) {
  GpuMachine machine = with_tensorflow("2.16.1", "{'is_cuda_build': False}");
  EXPECT_EQ(tensorflow_finding(machine).status, FindingStatus::warning);
}

}  // namespace
}  // namespace premise
