#include "cli/program.h"

int main(int argc, char** argv) { return premise::run_program(argc, argv); }
