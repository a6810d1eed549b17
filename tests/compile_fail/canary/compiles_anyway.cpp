int compiles_anyway;
