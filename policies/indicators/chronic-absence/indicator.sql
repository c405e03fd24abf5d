-- chronic-absence: one row for each student and school year with at least one expected day; days summed over schools
WITH days AS (
    SELECT a.person_id, a.school_year AS cohort_year, a.provider AS district, a.days_expected, a.days_attended, a.term,
        MAX(CASE WHEN a.term IS NULL THEN 1 ELSE 0 END)
            OVER (PARTITION BY a.person_id, a.school_year, a.provider, a.school) AS whole_year
    FROM attendance AS a
    JOIN districts AS d ON d.district = a.provider AND d.school_year = a.school_year
    WHERE a.kind IN (SELECT value FROM parameters WHERE name = 'kind')
        AND COALESCE(a.term, 'year') IN (SELECT value FROM parameters WHERE name = 'terms')
),
by_district AS (
    SELECT person_id, cohort_year, district, SUM(days_expected) AS expected, SUM(days_attended) AS attended
    FROM days
    WHERE term IS NULL OR whole_year = 0
    GROUP BY person_id, cohort_year, district
),
ranked AS (
    SELECT person_id, cohort_year, district,
        SUM(expected) OVER (PARTITION BY person_id, cohort_year) AS expected,
        SUM(attended) OVER (PARTITION BY person_id, cohort_year) AS attended,
        ROW_NUMBER() OVER (PARTITION BY person_id, cohort_year ORDER BY expected DESC, district) AS place
    FROM by_district
),
judged AS (
    SELECT r.person_id, r.cohort_year, r.district, p.value AS counts,
        CASE WHEN 100 * (r.expected - r.attended) >= CAST(l.value AS INTEGER) * r.expected THEN 1 ELSE 0 END AS absent
    FROM ranked AS r
    JOIN parameters AS l ON l.name = 'absent_percent'
    JOIN parameters AS p ON p.name = 'counts'
    WHERE r.place = 1 AND r.expected >= 1
)
SELECT person_id, cohort_year, district,
    CASE WHEN (absent = 1 AND counts = 'absent') OR (absent = 0 AND counts = 'present') THEN 'yes' ELSE 'no' END AS outcome,
    1 AS weight
FROM judged
