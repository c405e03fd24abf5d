-- preschool: the last record before kindergarten; unknown where the year before kindergarten was not yet recorded
WITH observed AS (
    SELECT MIN(school_year) AS first_year FROM preschool
),
attended AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year
            ORDER BY p.school_year DESC, p.start_date DESC, l.level
        ) AS place
    FROM cohort AS c
    JOIN preschool AS p ON p.person_id = c.person_id
    JOIN levels AS l ON l.code = p.funding
)
SELECT c.person_id, c.cohort_year,
    CASE
        WHEN o.first_year IS NULL OR c.cohort_year - c.grade - 1 < o.first_year THEN 'unknown'
        ELSE COALESCE(a.level, 'none')
    END AS level
FROM cohort AS c
CROSS JOIN observed AS o
LEFT JOIN attended AS a ON a.person_id = c.person_id AND a.cohort_year = c.cohort_year AND a.place = 1
