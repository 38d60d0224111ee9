# Names and text of many scripts.
# expect: passed
größe = "größer"
数 = {"число": 1, "αριθμός": 2}


def task(numbers):
    print("🙂", größe, 数, "\u202e")
    return sorted(numbers)
