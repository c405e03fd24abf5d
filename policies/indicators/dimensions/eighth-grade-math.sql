-- eighth-grade-math: the latest valid score up to the end of the window, the higher of two in one year
WITH results AS (
    SELECT c.person_id, c.cohort_year, l.level,
        ROW_NUMBER() OVER (
            PARTITION BY c.person_id, c.cohort_year ORDER BY a.school_year DESC, l.level
        ) AS place
    FROM cohort AS c
    JOIN assessment AS a ON a.person_id = c.person_id AND a.school_year <= c.last_year
    JOIN levels AS l ON l.code = a.achievement_level
    WHERE a.subject IN (SELECT value FROM parameters WHERE name = 'subject')
        AND a.grade_assessed IN (SELECT value FROM parameters WHERE name = 'grade_assessed')
        AND a.valid IN (SELECT value FROM parameters WHERE name = 'valid')
)
SELECT person_id, cohort_year, level FROM results WHERE place = 1
