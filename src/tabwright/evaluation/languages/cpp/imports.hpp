// What a program may use without naming it: the headers that CodeGeeX2's harness adds (evaluation/utils.py).
#include <algorithm>
#include <climits>
#include <cstring>
#include <iostream>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string>
#include <vector>
