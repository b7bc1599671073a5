"""Costs moved so that the choices which they make lose less: the second step of bench/calibrate.py.

The least squares know nothing of which estimates stand close to each other. So for each level, dtype and direction the costs of all
rows together are moved, one cost at a time, by a fifth and then by a sixteenth up or down, as long as that lowers

    sum over cases of the time that the choice loses  +  PULL * number of cases * sum over costs of log(cost / least squares' cost)^2

What the choice loses is the logarithm of the taken algorithm's time over the fastest's, at most CAP, and a mean, since times and
estimates are noisy: an algorithm is taken in proportion to the 16th power of the least estimate over its own. Only products and sums
of what the files hold decide, by margins far above rounding, so that every machine finds the same costs.

The name of a forward's algorithm does not follow the batch (lib/conv/algorithms.c): it is chosen by the work of JUDGED images. A forward
of up to MANY images is near enough; one of more is a case of names, whose work is that of JUDGED images, on the straight line through
the two smallest batches timed, and a case of each name's orientations.
"""
import math
import re

PULL, CAP, LEAST_GAIN, FAR = 0.0015, 0.7, 1e-3, 1.6
STEPS, SWEEPS = (1.2, 1.06), 4
JUDGED = 2   # CB_FORWARD_IMAGES
MANY = 8     # images
DOUBT = 1.1  # BLAS_DOUBT of lib/conv/costs.c


def family(algorithm):
    return algorithm.split(':')[0]


def at_judged(batches, algorithm):
    """Row and work of JUDGED images, on the straight line through the two smallest batches that have the algorithm in one row."""
    found = [(n, batches[n][algorithm]) for n in sorted(batches) if algorithm in batches[n]]
    (low, (row, work, _)), (high, (other, more, _)) = found[0], found[min(1, len(found) - 1)]
    if high == low or row != other:
        return row, work
    share = (JUDGED - low) / (high - low)
    return row, [max(0.0, a + share * (b - a)) for a, b in zip(work, more)]


def losses(times):
    """{name: what it loses}"""
    best = min(times.values())
    return {name: min(CAP, math.log(seconds / best)) for name, seconds in times.items()}


def own_case(rivals):
    """The case of algorithms chosen by their own work: {algorithm: (row, work, seconds)}"""
    lost = losses({a: seconds for a, (_, _, seconds) in rivals.items()})
    return [(*rivals[a][:2], lost[a]) for a in rivals]


def forward_cases(shapes):
    """The cases of forwards: {shape: {images: {algorithm: (row, work, seconds)}}}"""
    for batches in shapes.values():
        judged = {a: at_judged(batches, a) for rivals in batches.values() for a in rivals}
        for images, rivals in batches.items():
            if images <= MANY:
                yield own_case(rivals)
                continue
            names = {}
            for algorithm, (_, _, seconds) in rivals.items():
                names[family(algorithm)] = min(seconds, names.get(family(algorithm), seconds))
            lost = losses(names)
            yield [(*judged[a], lost[family(a)]) for a in rivals]
            for name in names:
                yield own_case({a: rival for a, rival in rivals.items() if family(a) == name})


def cases_of(files, level, dtype, direction, relaxed):
    """[[(row, work, what taking it loses)]], the cases of a level, dtype and direction that have a choice."""
    cases = []
    for _, file_level, file_dtype, samples in files:
        shapes = {}
        for problem, of, algorithm, row, work, seconds in samples:
            if (file_level, file_dtype, of) == (level, dtype, direction) and algorithm not in relaxed:
                images = int(re.search(r'mb(\d+)', problem).group(1))
                shape = re.sub(r'mb\d+', '', problem)
                shapes.setdefault(shape, {}).setdefault(images, {})[algorithm] = (row, work, seconds)
        if direction == 'forward':
            cases += forward_cases(shapes)
            continue
        cases += [own_case(rivals) for batches in shapes.values() for rivals in batches.values()]
    return [case for case in cases if len({row for row, _, _ in case}) > 1]


class Costs:
    """The costs of all rows, {row: [cost]}, and what they lose over the cases. blas: rows whose estimates are doubted."""

    def __init__(self, cases, costs, blas):
        cases = [[rival for rival in case if rival[0] in costs] for case in cases]
        self.cases = [case for case in cases if len(case) > 1]
        self.costs = costs
        self.first = {row: list(each) for row, each in costs.items()}
        self.pull = PULL * len(self.cases)
        self.lost = [[lost for _, _, lost in case] for case in self.cases]
        self.estimates = []
        self.places = {}  # {(row, kind): {case: [(rival, work)]}}
        for i, case in enumerate(self.cases):
            self.estimates.append([0.0] * len(case))
            for j, (row, work, _) in enumerate(case):
                for kind, amount in enumerate(work):
                    if amount > 0:
                        amount *= DOUBT if row in blas else 1
                        self.estimates[i][j] += amount * costs[row][kind]
                        self.places.setdefault((row, kind), {}).setdefault(i, []).append((j, amount))
        self.means = [self.mean(*both) for both in zip(self.estimates, self.lost)]

    @staticmethod
    def mean(estimates, lost):
        least = min(estimates)
        total = mean = 0.0
        for estimate, loss in zip(estimates, lost):
            if estimate < FAR * least:
                share = least / estimate
                share *= share
                share *= share
                share *= share
                share *= share
                total += share
                mean += share * loss
        return mean / total

    def pulled(self, row, kind, cost):
        first = self.first[row][kind]
        if first > 0 and cost > 0:
            return self.pull * math.log(cost / first) ** 2
        return self.pull * (first != cost)

    def move(self, row, kind, cost):
        """True, and the cost is taken, if that lowers the sum."""
        old = self.costs[row][kind]
        gain, found = self.pulled(row, kind, old) - self.pulled(row, kind, cost), []
        for i, places in self.places[row, kind].items():
            estimates = list(self.estimates[i])
            for j, amount in places:
                estimates[j] += amount * (cost - old)
            if min(estimates) <= 0:
                return False
            mean = self.mean(estimates, self.lost[i])
            gain += self.means[i] - mean
            found.append((i, estimates, mean))
        if gain <= LEAST_GAIN:
            return False
        self.costs[row][kind] = cost
        for i, estimates, mean in found:
            self.estimates[i], self.means[i] = estimates, mean
        return True

    def first_step(self, row, kind, share):
        """A cost for a kind that has none: a share of the middle one of the estimates that it would add to."""
        each = sorted(self.estimates[i][j] / amount for i, places in self.places[row, kind].items() for j, amount in places)
        return share * each[len(each) // 2]

    def settle(self):
        for step in STEPS:
            for _ in range(SWEEPS):
                moved = False
                for row, kind in sorted(self.places):
                    cost = self.costs[row][kind]
                    if cost > 0:
                        moved |= self.move(row, kind, cost * step) or self.move(row, kind, cost / step)
                    else:
                        moved |= self.move(row, kind, self.first_step(row, kind, step - 1))
                if not moved:
                    break


def settle(files, level, dtype, direction, costs, relaxed, blas):
    """Moves the costs, {row: [cost]}, of a level, dtype and direction."""
    Costs(cases_of(files, level, dtype, direction, relaxed), costs, blas).settle()
