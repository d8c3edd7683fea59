"""The console script: what it prints, what it exits with, what it imports."""

WEEK = ["--start", "2017-10-14", "--end", "2017-10-21"]  # the sample holds it
